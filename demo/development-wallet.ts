/** Hardhat's public development accounts. Their keys are known to everybody: for chains that hold nothing. */
import { HDNodeWallet, Mnemonic, Wallet } from "ethers";

const MNEMONIC = Mnemonic.fromPhrase("test test test test test test test test test test test junk");

/** The account with this number, from 0. */
export function developmentWallet(index: number): Wallet {
  return new Wallet(HDNodeWallet.fromMnemonic(MNEMONIC, `m/44'/60'/0'/0/${index}`).privateKey);
}
