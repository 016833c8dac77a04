// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Written by scripts/maths/constants.py, which fits, rounds and prints the error of each: do not edit.

// Mills ratio R(x), x in Q56: seven levels.
uint256 constant MILLS_A1 = 0x100009ec06f55a9f9732faae421e9;
uint256 constant MILLS_B1 = 0x2819cffbb0ff;
uint256 constant MILLS_A2 = 0xfaf97f55c69f375b572ad3a79bb6;
uint256 constant MILLS_B2 = 0x6cf6d492069099;
uint256 constant MILLS_A3 = 0x8f38c3fd626baa74f67bfff654bf1;
uint256 constant MILLS_B3 = 0xa43b04b04bbf20e;
uint256 constant MILLS_A4 = 0x7de9e9e2a607205acd10c663a3c45;
uint256 constant MILLS_B4 = 0x10eafa3af9034673;
uint256 constant MILLS_A5 = 0x1a2b4bb62499a66e2158c40a316587c;
uint256 constant MILLS_B5 = 0x169598c58c3df85a;
uint256 constant MILLS_A6 = 0xf051539f7e312713c16b02d891f3;
uint256 constant MILLS_B6 = 0x3c8b9232fe6a7df;
uint256 constant MILLS_A7 = 0x1687edc05b61b9a8b54ef979699e94;
uint256 constant MILLS_B7 = 0xa72cf539e83ef;

// ln((1 + z) / (1 - z)) / z in y = z^2, Q96: four levels and a constant.
uint256 constant LN_C0 = 0x580f5ee98aee2c50c115af89;
uint256 constant LN_A1 = 0x7a150d8018335c021b33da7775359aa07a000000000000000;
uint256 constant LN_B1 = 0x72038eeaff020d0d28c707319;
uint256 constant LN_A2 = 0x8aaba34cc96e49a56d3a095d9b48dc1e67000000000000000;
uint256 constant LN_B2 = 0x3b9aeb07d875bf806ca56b0c3;
uint256 constant LN_A3 = 0x7e4b2b8aa6a048764bae356079b20a754d80000000000000;
uint256 constant LN_B3 = 0x1c65f7afb58202350391f6a1f;
uint256 constant LN_A4 = 0xb43ba06ebf75689ffe7a07e672df70c8f00000000000000;
uint256 constant LN_B4 = 0x133a3da200dfaf47d72f61b9a;

// Greatest y of that fraction; ln 4 in Q128.
uint256 constant LN_LIMIT = 0x28f5c28f5c28f60000000000;
uint256 constant LN4 = 0x162e42fefa39ef35793c7673007e5ed5f;

// c(y) = C0 - A1 / (y + B1 - A2 / (y + B2)) with 2^-g = (c - g) / (c + g), y = g^2 in Q112, c in Q56.
uint256 constant POWER_C0 = 0x2b4d7172d3500cf2;
uint256 constant POWER_A1 = 0x6c879579fd94685f8a4c7cc7d45eaa475e800000000000;
uint256 constant POWER_B1 = 0x30b6f63a8cfd385c88e10fe93e92c69;
uint256 constant POWER_A2 = 0x2246eb9947f8dc95d4a124e2f72a7003bb40000000000000000000000000;
uint256 constant POWER_B2 = 0x5f5d7577a3c7c3950b3867fab1b384;

// 1 / (2 ln 2) in Q64, and 2^-1/2 / sqrt(2 pi) in Q56.
uint256 constant HALF_LOG2_E = 0xb8aa3b295c17f0bc;
uint256 constant DENSITY = 0x48375d410a6db4;

// Seed of sqrt(seconds), Q60.
uint256 constant ROOT_C0 = 0x338575babeeb8db45c5;
uint256 constant ROOT_A1 = 0x920ab2b8c4c1e2aa2627803e2;
uint256 constant ROOT_B1 = 0x324a0cc;
uint256 constant ROOT_A2 = 0x3dfdc29ffe4;
uint256 constant ROOT_B2 = 0xe8552;
uint256 constant ROOT_A3 = 0x936ce219;
uint256 constant ROOT_B3 = 0x550c;

// The seed's range in seconds.
uint256 constant ROOT_LOW = 0x708;
uint256 constant ROOT_SPAN = 0x3c25ff8;

// vol (WAD) x sqrt(seconds) (Q63) to s (Q72), times 2^128.
uint256 constant ROOT_SCALE = 0x1ae8d7f958fef0f36;

// Scenarios, p places to a deviation: p^2 / 2, and vol (WAD) x sqrt(seconds) (Q63) to p s / 2, times 2^160.
uint256 constant LN_PLACE = 0x43b3d5af9a723f8;
uint256 constant ROOT_PLACE = 0x272422df0d15bc;
