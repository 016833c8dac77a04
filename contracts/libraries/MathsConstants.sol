// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Written by scripts/maths/constants.py, which fits, rounds and prints the error of each: do not edit.

// Mills ratio R(x), x in Q56: six levels.
uint256 constant MILLS_A1 = 0xfffb1a1c915529bb5dff1f3d6519;
uint256 constant MILLS_B1 = 0xf68dbfab344e;
uint256 constant MILLS_A2 = 0x118228fe39a67c8f7c6c37ded9b53;
uint256 constant MILLS_B2 = 0x16f97eab851f58c;
uint256 constant MILLS_A3 = 0xdf208804cdda6923ebd5b1b398732;
uint256 constant MILLS_B3 = 0x984baa04a1b1d34;
uint256 constant MILLS_A4 = 0x237794f1fe0cf0ecaf7519b50ca41d;
uint256 constant MILLS_B4 = 0x135996b0d3d97be;
uint256 constant MILLS_A5 = 0x1eca80e2302f12f35f0868bb8b75e;
uint256 constant MILLS_B5 = 0x7cfb4d7381a66dc;
uint256 constant MILLS_A6 = 0x6c43d5aafd1c26faa7fff75158128f;
uint256 constant MILLS_B6 = 0xb2a015fd996a78c;

// ln((1 + z) / (1 - z)) / z in y = z^2, Q96: three levels and a constant.
uint256 constant LN_C0 = 0x6f61af6f31d3a717921a0220;
uint256 constant LN_A1 = 0x5a52162a353a658406bdf78ce110752e58000000000000000;
uint256 constant LN_B1 = 0x4cc7e57d833e58e977ee34a71;
uint256 constant LN_A2 = 0x2d1815fd47a937fcfade943c98f7dcd8e6000000000000000;
uint256 constant LN_B2 = 0x2730ddfedb2521dc9d35632f0;
uint256 constant LN_A3 = 0x1bb390188dc0bdfe623068fb84757aac0600000000000000;
uint256 constant LN_B3 = 0x14942f12ad28e8e5652b61fd7;

// Greatest y of that fraction; ln 4 in Q128.
uint256 constant LN_LIMIT = 0x28f5c28f5c28f60000000000;
uint256 constant LN4 = 0x162e42fefa39ef35793c7673007e5ed5f;

// c(y) = C0 + C1 y - A / (y + B) with 2^-g = (c - g) / (c + g), y = g^2 in Q112, c in Q56.
uint256 constant POWER_C0 = 0x9f58aa821dc7d80;
uint256 constant POWER_C1 = 0x8dd99cd3d5d84;
uint256 constant POWER_A = 0x26a91c1a6f9c2121b38e0a909550996b1e00000000000;
uint256 constant POWER_B = 0x577216f5cf7ef330b6f0d4a63f3238;

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
