// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IVerisum} from "../interfaces/IVerisum.sol";

/// @title Bytes stored as code
/// @notice Stores words as the code of an account, after one zero byte so that it never runs, and reads them back.
library DataContract {
    /// @dev `PUSH2 size, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN`: returns the `size` bytes
    /// that follow these ten. RETURNDATASIZE is zero here and one byte shorter than PUSH1 0.
    function store(bytes memory data) internal returns (address pointer) {
        bytes memory code = abi.encodePacked(hex"61", uint16(data.length + 1), hex"80600a3d393df300", data);
        assembly ("memory-safe") {
            pointer := create(0, add(code, 0x20), mload(code))
        }
        if (pointer == address(0)) revert IVerisum.VerisumKeysRefused("no data contract came to be");
    }

    /// @notice `count` words from word `start`.
    function load(address pointer, uint256 start, uint256 count) internal view returns (uint256[] memory words) {
        words = new uint256[](count);
        assembly ("memory-safe") {
            extcodecopy(pointer, add(words, 0x20), add(1, mul(start, 0x20)), mul(count, 0x20))
        }
    }
}
