/** Key handles in the types of @hpke/core. They are opaque here: only that package looks inside. */
interface CryptoKey {
  readonly type: string;
}

interface CryptoKeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}
