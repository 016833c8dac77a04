// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A token that anybody may mint and that can be made hostile: it takes a fee on transfers, blocks holders, calls
/// out in the middle of a transfer, or answers otherwise than the standard says.
contract MockToken is ERC20 {
    /// @notice Standard, `false` instead of a revert with nothing moved, or no answer at all.
    enum Answer {
        Standard,
        Refusal,
        Silence
    }

    uint8 private immutable _decimals;
    uint256 public feeShare;
    address public hookTarget;
    bytes public hookData;
    bytes public hookResult;
    Answer public answer;
    mapping(address holder => bool) public blocked;

    error HolderBlocked(address holder);

    constructor(string memory name_, uint8 decimals_) ERC20(name_, name_) {
        _decimals = decimals_;
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setFee(uint256 share) external {
        feeShare = share;
    }

    function setBlocked(address holder, bool blocked_) external {
        blocked[holder] = blocked_;
    }

    function setAnswer(Answer answer_) external {
        answer = answer_;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return answer == Answer.Refusal ? false : _answered(super.transfer(to, amount));
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return answer == Answer.Refusal ? false : _answered(super.transferFrom(from, to, amount));
    }

    /// @notice Each transfer calls `target` once with `data` and keeps what came back; a failed call is not passed on.
    function setHook(address target, bytes calldata data) external {
        (hookTarget, hookData) = (target, data);
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (blocked[from]) revert HolderBlocked(from);
        if (blocked[to]) revert HolderBlocked(to);
        if (from == address(0) || to == address(0)) return super._update(from, to, amount);
        uint256 fee = (amount * feeShare) / 1e18;
        super._update(from, to, amount - fee);
        if (fee != 0) super._update(from, address(this), fee);
        address target = hookTarget;
        if (target == address(0)) return;
        hookTarget = address(0);
        // The result is the point: the test reads what the attacked contract answered.
        // solhint-disable-next-line avoid-low-level-calls
        (, hookResult) = target.call(hookData);
    }

    /// @dev Ends the call with no data where the token is one that answers nothing.
    function _answered(bool done) private view returns (bool) {
        if (answer == Answer.Silence) {
            // solhint-disable-next-line no-inline-assembly
            assembly {
                return(0, 0)
            }
        }
        return done;
    }
}
