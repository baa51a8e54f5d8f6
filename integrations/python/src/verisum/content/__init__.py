"""Published files by CID: what comes from others is hashed before it is read."""
