"""What this package raises itself."""


class TrainerError(Exception):
    """A round's files, a trained model or a Flower app are not what the task needs; the message names what is wrong."""


class ContentError(Exception):
    """A published file is missing, malformed, or not what its CID names."""
