// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Leg} from "../libraries/SeriesId.sol";
import {IQuoteAdapter} from "./IQuoteAdapter.sol";

/// @title Signed quotes: of the desk to one taker, of outside makers to anybody, and of makers to the vault.
/// @notice EIP-712, domain name "Gammadesk RFQ", version "1". A maker signs with its key or as an ERC-1271 wallet; for the
/// vault the desk's quoter signs. Where the vault is a party, a fill is refused outside the desk's band around its fair
/// price whoever signed (`IOptionDesk.assess`): the vault as maker sells no lower than fair and asks no more than
/// fair + band; as taker it pays fair + band at most. What opens risk for the vault is held to every rule of the desk.
interface IRfqMarket is IQuoteAdapter {
    /// @param maker whose account is the other side; the vault for the desk's own quotes.
    /// @param taker who may fill it, zero for anybody.
    /// @param legs sizes from the taker's side, each series once, ascending.
    /// @param premium WAD USD that the taker pays for the whole, negative if the taker receives.
    /// @param nonce of the maker: quotes of one nonce share what is filled, and are cancelled together.
    /// @param deadline unix seconds.
    struct Rfq {
        address maker;
        address taker;
        Leg[] legs;
        int256 premium;
        uint256 nonce;
        uint64 deadline;
    }

    event RfqFilled(
        address indexed maker,
        address indexed taker,
        uint256 indexed nonce,
        uint128 share,
        int256 premium,
        Leg[] legs
    );
    event RfqCancelled(address indexed maker, uint256 indexed nonce);

    error DeadlinePassed(uint64 deadline, uint256 nowAt);
    error NotTaker(address caller, address taker);
    error MakerIsVault();
    error SignatureInvalid(address signer, bytes32 digest);
    error ShareOutOfRange(uint128 share, uint128 left);
    error PremiumAboveLimit(int256 premium, int256 limit);
    error OutsideFairBand(int256 premium, int256 fair, uint256 band);
    error OnlyHedgeManager(address caller);
    error OnlyMaker(address caller, address maker);

    /// @notice Fills a share of a quote from the caller's account. Sizes are rounded towards zero, the premium up.
    /// @param share WAD; all fills of a nonce together at most 1e18.
    /// @param limitPremium WAD USD, the most the caller pays for this share.
    function fill(
        Rfq calldata rfq,
        bytes calldata signature,
        uint128 share,
        int256 limitPremium
    ) external returns (int256 premium);

    /// @notice Ends quotes by their nonces. The maker, or the desk's quoter for the vault.
    function cancel(address maker, uint256[] calldata nonces) external;

    /// @notice WAD share of a nonce that is filled; 1e18 too where it was cancelled.
    function filled(address maker, uint256 nonce) external view returns (uint128);

    /// @notice What a maker signs.
    function digestOf(Rfq memory rfq) external view returns (bytes32);
}
