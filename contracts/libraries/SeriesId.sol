// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice One option series in 128 bits, from the top: underlying (16), expiry (40, unix seconds), strike (64, units
/// of 1e-8 USD), flags (8, bit 0 = call). Ordering by the raw value groups series by underlying, then by expiry.
type SeriesId is uint128;

/// @notice A signed position in a series, one storage slot. `size` is WAD contracts from the account's own side:
/// +1e18 is long one option on one ETH.
struct Leg {
    SeriesId series;
    int128 size;
}

/// @notice The same leg in the word that an account stores and the risk engine reads: the size in the upper 128 bits,
/// the series in the lower. Legs travel between contracts like this, people see `Leg`.
type PackedLeg is uint256;

using SeriesIdLib for SeriesId global;
using SeriesIdLib for PackedLeg global;

/// @title Packing and reading of SeriesId and PackedLeg.
library SeriesIdLib {
    /// @dev Strikes are stored with 8 decimals.
    uint256 internal constant STRIKE_UNIT = 1e10;
    uint256 internal constant EXPIRY_SECOND_OF_DAY = 8 hours;

    error StrikeOffGrid(uint256 strike);
    error StrikeOutOfRange(uint256 strike);
    error ExpiryOffGrid(uint256 expiry);
    error UnderlyingZero();

    /// @param underlying_ market id, from 1;
    /// @param expiry_ unix seconds, 08:00 UTC;
    /// @param strike_ USD in WAD, a multiple of 1e-8 USD;
    /// @param isCall_ call or put.
    function encode(
        uint16 underlying_,
        uint40 expiry_,
        uint256 strike_,
        bool isCall_
    ) internal pure returns (SeriesId id) {
        if (strike_ % STRIKE_UNIT != 0) revert StrikeOffGrid(strike_);
        if (strike_ / STRIKE_UNIT > type(uint64).max) revert StrikeOutOfRange(strike_);
        id = SeriesId.wrap(
            (uint128(underlying_) << 112) |
                (uint128(expiry_) << 72) |
                (uint128(strike_ / STRIKE_UNIT) << 8) |
                (isCall_ ? 1 : 0)
        );
        validate(id);
    }

    /// @notice Reverts by name unless the id is well formed. It says nothing of whether anybody lists the series.
    function validate(SeriesId id) internal pure {
        if (id.underlying() == 0) revert UnderlyingZero();
        if (uint256(id.expiry()) % 1 days != EXPIRY_SECOND_OF_DAY) revert ExpiryOffGrid(id.expiry());
        if (id.strike() == 0 || uint8(SeriesId.unwrap(id)) > 1) revert StrikeOutOfRange(id.strike());
    }

    function underlying(SeriesId id) internal pure returns (uint16) {
        return uint16(SeriesId.unwrap(id) >> 112);
    }

    function expiry(SeriesId id) internal pure returns (uint40) {
        return uint40(SeriesId.unwrap(id) >> 72);
    }

    /// @return USD in WAD.
    function strike(SeriesId id) internal pure returns (uint256) {
        unchecked {
            return uint256(uint64(SeriesId.unwrap(id) >> 8)) * STRIKE_UNIT;
        }
    }

    function isCall(SeriesId id) internal pure returns (bool) {
        return SeriesId.unwrap(id) & 1 == 1;
    }

    /// @notice Underlying and expiry as one key: what settlement and the surface are kept by.
    function expiryKey(SeriesId id) internal pure returns (uint56) {
        return uint56(SeriesId.unwrap(id) >> 72);
    }

    function expiryKeyOf(uint16 underlying_, uint40 expiry_) internal pure returns (uint56) {
        return (uint56(underlying_) << 40) | uint56(expiry_);
    }

    /// @notice Payoff of one contract at a settlement price.
    /// @return USD in WAD.
    function payoff(SeriesId id, uint256 price) internal pure returns (uint256) {
        uint256 k = id.strike();
        if (id.isCall()) return price > k ? price - k : 0;
        return k > price ? k - price : 0;
    }

    /// @param size_ WAD contracts, |size| below 2^127.
    function pack(SeriesId series_, int256 size_) internal pure returns (PackedLeg) {
        return PackedLeg.wrap((uint256(size_) << 128) | SeriesId.unwrap(series_));
    }

    function unpack(PackedLeg[] memory packed) internal pure returns (Leg[] memory legs) {
        legs = new Leg[](packed.length);
        for (uint256 i = 0; i < packed.length; ++i) legs[i] = Leg(series(packed[i]), int128(size(packed[i])));
    }

    function series(PackedLeg leg) internal pure returns (SeriesId) {
        return SeriesId.wrap(uint128(PackedLeg.unwrap(leg)));
    }

    function size(PackedLeg leg) internal pure returns (int256) {
        return int256(PackedLeg.unwrap(leg)) >> 128;
    }
}
