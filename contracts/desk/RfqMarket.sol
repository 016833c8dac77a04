// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IClearinghouse, Trade} from "../interfaces/IClearinghouse.sol";
import {IOptionDesk} from "../interfaces/IOptionDesk.sol";
import {IQuoteAdapter} from "../interfaces/IQuoteAdapter.sol";
import {IRfqMarket} from "../interfaces/IRfqMarket.sol";
import {Leg} from "../libraries/SeriesId.sol";
import {Wad} from "../libraries/Wad.sol";

/// @title Signed quotes, and the adapter by which the hedge manager takes them. Documented in IRfqMarket.
contract RfqMarket is IRfqMarket, EIP712, ReentrancyGuard {
    uint128 private constant WHOLE = 1e18;
    /* solhint-disable gas-small-strings */
    bytes32 private constant LEG_TYPE = keccak256("Leg(uint128 series,int128 size)");
    bytes32 private constant RFQ_TYPE =
        keccak256(
            "Rfq(address maker,address taker,Leg[] legs,int256 premium,uint256 nonce,uint64 deadline)"
            "Leg(uint128 series,int128 size)"
        );
    /* solhint-enable gas-small-strings */

    IClearinghouse public immutable clearinghouse;
    IOptionDesk public immutable desk;
    address public immutable vault;

    /// @inheritdoc IRfqMarket
    mapping(address maker => mapping(uint256 nonce => uint128)) public filled;

    constructor(IClearinghouse clearinghouse_, IOptionDesk desk_) EIP712("Gammadesk RFQ", "1") {
        clearinghouse = clearinghouse_;
        desk = desk_;
        vault = desk_.vault();
    }

    /// @inheritdoc IRfqMarket
    function fill(
        Rfq calldata rfq,
        bytes calldata signature,
        uint128 share,
        int256 limitPremium
    ) external nonReentrant returns (int256 premium) {
        if (rfq.taker != address(0) && msg.sender != rfq.taker) revert NotTaker(msg.sender, rfq.taker);
        Leg[] memory legs;
        (legs, premium) = _use(rfq, signature, share, msg.sender);
        if (premium > limitPremium) revert PremiumAboveLimit(premium, limitPremium);
        if (rfq.maker == vault) _sell(legs, premium, msg.sender);
        else _trade(rfq.maker, msg.sender, legs, premium);
    }

    /// @inheritdoc IQuoteAdapter
    /// @dev `data` is abi.encode(Rfq, bytes signature, uint128 share).
    function take(bytes calldata data) external nonReentrant returns (int256 premium) {
        if (msg.sender != clearinghouse.hedgeManager()) revert OnlyHedgeManager(msg.sender);
        (Rfq memory rfq, bytes memory signature, uint128 share) = abi.decode(data, (Rfq, bytes, uint128));
        if (rfq.maker == vault) revert MakerIsVault();
        if (rfq.taker != address(0) && rfq.taker != vault) revert NotTaker(vault, rfq.taker);
        Leg[] memory legs;
        (legs, premium) = _use(rfq, signature, share, vault);
        _buy(rfq.maker, legs, premium);
    }

    /// @inheritdoc IRfqMarket
    function cancel(address maker, uint256[] calldata nonces) external {
        address signer = _signerOf(maker);
        if (msg.sender != signer) revert OnlyMaker(msg.sender, signer);
        for (uint256 i = 0; i < nonces.length; ++i) {
            filled[maker][nonces[i]] = WHOLE;
            emit RfqCancelled(maker, nonces[i]);
        }
    }

    /// @inheritdoc IRfqMarket
    function digestOf(Rfq memory rfq) public view returns (bytes32) {
        bytes32[] memory legs = new bytes32[](rfq.legs.length);
        for (uint256 i = 0; i < legs.length; ++i) {
            legs[i] = keccak256(abi.encode(LEG_TYPE, rfq.legs[i].series, rfq.legs[i].size));
        }
        bytes32 hash = keccak256(
            abi.encode(
                RFQ_TYPE,
                rfq.maker,
                rfq.taker,
                keccak256(abi.encodePacked(legs)),
                rfq.premium,
                rfq.nonce,
                rfq.deadline
            )
        );
        return _hashTypedDataV4(hash);
    }

    /// @dev Checks a quote and uses a share of it up. Sizes towards zero, premium up: against who fills.
    function _use(
        Rfq memory rfq,
        bytes memory signature,
        uint128 share,
        address taker
    ) private returns (Leg[] memory legs, int256 premium) {
        if (block.timestamp > rfq.deadline) revert DeadlinePassed(rfq.deadline, block.timestamp);
        uint128 used = filled[rfq.maker][rfq.nonce];
        if (share == 0 || share > WHOLE - used) revert ShareOutOfRange(share, WHOLE - used);
        bytes32 digest = digestOf(rfq);
        address signer = _signerOf(rfq.maker);
        if (!SignatureChecker.isValidSignatureNow(signer, digest, signature)) revert SignatureInvalid(signer, digest);
        filled[rfq.maker][rfq.nonce] = used + share;
        premium = Wad.mulSignedUp(rfq.premium, int256(uint256(share)));
        legs = rfq.legs;
        for (uint256 i = 0; i < legs.length; ++i) {
            legs[i].size = int128(Wad.mulTowardZero(legs[i].size, int256(uint256(share))));
        }
        emit RfqFilled(rfq.maker, taker, rfq.nonce, share, premium, legs);
    }

    /// @dev The vault gives the legs at no less than fair: a stolen quoter key sells nothing below the mark.
    function _sell(Leg[] memory legs, int256 premium, address taker) private {
        IOptionDesk.Assessment memory a = desk.assess(legs, false);
        if (premium < a.fair || premium > a.fair + int256(a.band)) revert OutsideFairBand(premium, a.fair, a.band);
        (int256 equity, uint256 initial) = _trade(vault, taker, legs, premium);
        if (a.opens) desk.checkUtilisation(legs, premium, equity, initial);
    }

    /// @dev The vault gets the legs: the desk is asked about the maker's side of them.
    function _buy(address maker, Leg[] memory legs, int256 premium) private {
        Leg[] memory theirs = new Leg[](legs.length);
        for (uint256 i = 0; i < legs.length; ++i) theirs[i] = Leg(legs[i].series, -legs[i].size);
        IOptionDesk.Assessment memory a = desk.assess(theirs, true);
        if (-premium < a.fair - int256(a.band)) revert OutsideFairBand(-premium, a.fair, a.band);
        (int256 equity, uint256 initial) = _trade(maker, vault, legs, premium);
        if (a.opens) desk.checkUtilisation(theirs, -premium, equity, initial);
    }

    function _trade(
        address maker,
        address taker,
        Leg[] memory legs,
        int256 premium
    ) private returns (int256 equity, uint256 initial) {
        Trade[] memory trades = new Trade[](1);
        trades[0] = Trade(maker, taker, premium, legs);
        return clearinghouse.trade(trades);
    }

    function _signerOf(address maker) private view returns (address) {
        return maker == vault ? desk.quoter() : maker;
    }
}
