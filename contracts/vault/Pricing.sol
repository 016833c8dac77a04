// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IClearinghouse} from "../interfaces/IClearinghouse.sol";
import {IDeskVault} from "../interfaces/IDeskVault.sol";
import {IMarketOracle} from "../interfaces/IMarketOracle.sol";
import {IVolSurface} from "../interfaces/IVolSurface.sol";
import {IERC7575} from "../interfaces/external/IERC7575.sol";
import {Claims} from "./Claims.sol";
import {Valuer} from "./Valuer.sol";

/// @title What a share costs and what it fetches: NAV, its width, fees.
/// @notice With E the NAV used (ask or bid, WAD), S the share supply and V = 1e18 both the virtual shares and the
/// virtual USD, both before the epoch's own flows:
///   a deposit of d USD mints        d (S + V) / (E + V)               shares, rounded down;
///   a redemption of s shares pays   s min((E + V) / (S + V), E / S)   USD, rounded down.
/// The pair (1e6 USDC units, 1e18 shares) makes the first share cost one USD. Because a share has 1e12 units for each
/// unit of USDC, rounding one depositor by one USDC unit takes a NAV of 1e12 USD per share in circulation, and of
/// whatever an attacker gives away to get there the virtual share keeps its part: inflation cannot pay. The minimum
/// keeps the virtual USD out of the payout when a share is below one USD: what is paid is there, and the last to leave
/// is paid like the first. Neither flow lowers min((E + V) / (S + V), E / S) of those who stay (I-04).
///
/// Fees are shares, minted at an epoch before its prices are made and rounded against the recipient: for management
/// S x rate x time, then for performance what is worth `rate` of the rise of the payout above its highest so far.
abstract contract Pricing is Claims {
    using SafeCast for uint256;

    uint256 internal constant MAX_SUPPLY = type(uint112).max;
    uint256 internal constant USDC_SCALE = 1e12;
    uint256 private constant VIRTUAL = 1e18;
    uint256 private constant YEAR = 365 days;

    IClearinghouse public immutable clearinghouse;
    Valuer public immutable valuer;

    address public feeRecipient;
    Book internal _book;

    constructor(IClearinghouse clearinghouse_, IMarketOracle oracle_, IVolSurface surface_, uint16 underlying_) {
        clearinghouse = clearinghouse_;
        valuer = new Valuer(clearinghouse_, oracle_, surface_, underlying_);
        (_book.processedAt, _book.highWater) = (uint40(block.timestamp), 1e18);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IERC7575
    /// @notice Mid NAV after the last processed epoch, USDC units; never reverts.
    function totalAssets() external view returns (uint256) {
        return _book.assets;
    }

    /// @inheritdoc IERC7575
    function convertToShares(uint256 assets) external view returns (uint256) {
        return _sharesFor(assets, _lastNav(), _share.totalSupply());
    }

    /// @inheritdoc IERC7575
    function convertToAssets(uint256 shares) external view returns (uint256) {
        return _assetsFor(shares, _lastNav(), _share.totalSupply());
    }

    /// @inheritdoc IDeskVault
    function navBid() external view returns (uint256) {
        Valuer.Value memory v = valuer.value(address(this), _parameters);
        return _floor(v.low - v.width);
    }

    /// @inheritdoc IDeskVault
    function navAsk() external view returns (uint256) {
        Valuer.Value memory v = valuer.value(address(this), _parameters);
        return _floor(v.high + v.width);
    }

    /// @inheritdoc IDeskVault
    function navWidth() external view returns (uint256) {
        return uint256(valuer.value(address(this), _parameters).width);
    }

    /// @inheritdoc IDeskVault
    function lastEpoch() external view returns (Book memory) {
        return _book;
    }

    // ------------------------------------------------------------------ internal: prices

    function _lastNav() private view returns (uint256) {
        return uint256(_book.assets) * USDC_SCALE;
    }

    function _sharesFor(uint256 assets, uint256 nav, uint256 supply) internal pure returns (uint256) {
        return Math.mulDiv(assets * USDC_SCALE, supply + VIRTUAL, nav + VIRTUAL);
    }

    function _assetsFor(uint256 shares, uint256 nav, uint256 supply) internal pure returns (uint256) {
        return _worth(shares, nav, supply) / USDC_SCALE;
    }

    /// @dev What shares fetch, WAD USD, rounded down.
    function _worth(uint256 shares, uint256 nav, uint256 supply) private pure returns (uint256) {
        return nav < supply ? Math.mulDiv(shares, nav, supply) : Math.mulDiv(shares, nav + VIRTUAL, supply + VIRTUAL);
    }

    // ------------------------------------------------------------------ internal: fees

    /// @dev Mints the epoch's fees. The highest price is kept up whoever gets them, so that a recipient named later has
    /// no part in an earlier rise; without holders it starts anew.
    /// @return fees shares.
    function _takeFees(uint256 epoch, uint256 bid, uint256 supply) internal returns (uint256 fees) {
        address recipient = feeRecipient;
        Book memory b = _book;
        if (recipient == address(0) || supply == 0 || bid == 0) {
            uint256 now_ = _worth(1e18, bid, supply);
            _book.highWater = (supply == 0 ? now_ : Math.max(now_, b.highWater)).toUint128();
            return 0;
        }
        uint256 elapsed = block.timestamp - b.processedAt;
        uint256 management = (supply * _parameters.managementFee * elapsed) / (YEAR * 1e18);
        fees = Math.min(management, MAX_SUPPLY - supply);
        management = fees;
        uint256 rise = _worth(1e18, bid, supply + fees);
        if (rise > b.highWater) {
            uint256 gain = Math.mulDiv(supply + fees, rise - b.highWater, 1e18);
            uint256 due = Math.mulDiv(gain, _parameters.performanceFee, 1e18);
            fees = Math.min(fees + Math.mulDiv(supply + fees, due, bid - due), MAX_SUPPLY - supply);
            _book.highWater = _worth(1e18, bid, supply + fees).toUint128();
        }
        if (fees == 0) return 0;
        emit FeesTaken(epoch, recipient, management, fees - management);
        _share.mint(recipient, fees);
    }

    function _floor(int256 x) internal pure returns (uint256) {
        return x > 0 ? uint256(x) : 0;
    }
}
