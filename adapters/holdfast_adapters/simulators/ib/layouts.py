"""Which fields the long messages have, in which order, and what is in those of no use.

The order is that of ib_async's decoder, and the defaults are those of recorded messages
(``2147483647`` and ``1.7976931348623157E308`` are how TWS says that nothing is set).
"""

from __future__ import annotations

from typing import Final

from holdfast_adapters.simulators.ib.wire import Layout

UNSET_INT: Final = "2147483647"
UNSET: Final = "1.7976931348623157E308"

ASKED_CONTRACT: Final = Layout(
    "con_id symbol kind expiry strike right multiplier exchange primary currency "
    "local_symbol trading_class"
)
"""A contract as clients send it."""

_CONTRACT: Final = (
    "con_id symbol kind expiry strike=0 right multiplier exchange currency "
    "local_symbol trading_class "
)
_TERMS: Final = (
    "action quantity type limit=0.0 aux=0.0 tif oca_group account open_close origin=0 "
)

OPEN_ORDER: Final = Layout(
    "order_id "
    + _CONTRACT
    + _TERMS
    + "order_ref client_id perm_id outside_rth=0 hidden=0 discretionary=0 good_after "
    "shares_allocation fa_group fa_method fa_percentage fa_profile@-177 model_code "
    "good_till rule_80a percent_offset settling_firm short_sale_slot=0 location "
    "exempt_code=-1 auction=0 starting_price stock_ref_price delta stock_lower "
    f"stock_upper display_size={UNSET_INT} block=0 sweep=0 all_or_none=0 min_quantity "
    "oca_type=3 e_trade_only=0 firm_quote_only=0 nbbo_cap parent_id=0 trigger_method=0 "
    "volatility volatility_type=0 delta_neutral_type=None delta_aux delta_con_id=0 "
    "delta_firm delta_account delta_intent delta_open_close=? delta_short=0 "
    "delta_slot=0 delta_location continuous_update=0 reference_type=0 trail_stop "
    "trail_percent basis_points basis_type legs_text legs=0 order_legs=0 routing=0 "
    f"scale_initial={UNSET_INT} scale_next={UNSET_INT} scale_increment hedge_type "
    "opt_out_smart=0 clearing_account clearing_intent=IB not_held=0 has_delta=0 algo "
    "solicited=0 what_if=0 status "
    + " ".join(f"margin_{number}={UNSET}" for number in range(9))
    + " commission commission_min commission_max commission_currency warning "
    f"random_size=0 random_price=0 conditions=0 adjusted_type=None trigger={UNSET} "
    f"trail_stop_again={UNSET} limit_offset={UNSET} adjusted_stop={UNSET} "
    f"adjusted_limit={UNSET} adjusted_trail={UNSET} adjusted_unit=0 tier_name "
    "tier_value tier_display cash_quantity=0 no_auto_price=1 oms=0 discretionary_up=0 "
    "price_management=0 duration@159 post_to_ats@160 cancel_parent=0@162 "
    "least_trade@170 least_compete=100@170 compete_offset=0.02@170 mid_whole@170 "
    "mid_half@170"
)

COMPLETED_ORDER: Final = Layout(
    _CONTRACT + _TERMS + "order_ref perm_id outside_rth=0 hidden=0 discretionary=0 "
    "good_after fa_group fa_method fa_percentage fa_profile@-177 model_code good_till "
    "rule_80a percent_offset settling_firm short_sale_slot=0 location exempt_code=-1 "
    "starting_price stock_ref_price delta stock_lower stock_upper "
    f"display_size={UNSET_INT} sweep=0 all_or_none=0 min_quantity oca_type=3 "
    "trigger_method=0 volatility volatility_type=0 delta_neutral_type=None delta_aux "
    "delta_con_id=0 delta_short=0 delta_slot=0 delta_location continuous_update=0 "
    "reference_type=0 trail_stop trail_percent legs_text legs=0 order_legs=0 routing=0 "
    f"scale_initial={UNSET_INT} scale_next={UNSET_INT} scale_increment hedge_type "
    "clearing_account clearing_intent=IB not_held=0 has_delta=0 algo solicited=0 "
    "status random_size=0 random_price=0 conditions=0 trail_stop_again "
    f"limit_offset={UNSET} cash_quantity=0 no_auto_price=1 oms=0 auto_cancel filled "
    f"ref_futures={UNSET_INT} cancel_parent=0 shareholder imbalance=0 route_bbo=0 "
    "parent_perm=9223372036854775807 completed_at completed_status least_trade@170 "
    "least_compete@170 compete_offset@170 mid_whole@170 mid_half@170"
)

EXECUTION: Final = Layout(
    "request_id=-1 order_id "
    + _CONTRACT
    + "execution_id at account venue side shares price perm_id client_id liquidation=0 "
    "cumulative average order_ref ev_rule ev_multiplier model_code liquidity=2 "
    "pending_revision=0@178"
)

DETAILS: Final = Layout(
    "version=8@-164 request_id symbol kind expiry strike=0 right exchange currency "
    "local_symbol market_name trading_class con_id tick magnifier_size=100@-164 "
    "multiplier order_types exchanges magnifier=1 under_con_id=0 long_name primary "
    "month industry category subcategory zone trading_hours liquid_hours ev_rule "
    "ev_multiplier sec_ids=0 agg_group=1 under_symbol under_kind market_rules "
    "real_expiry stock_type least_size=1@164 size_step=1@164 suggested_step=100@163"
)

ASKED_ORDER: Final = Layout(
    "sec_id_type sec_id action quantity type limit aux tif oca_group account "
    "open_close origin order_ref transmit parent_id block sweep display_size "
    "trigger_method outside_rth hidden shares_allocation discretionary good_after "
    "good_till fa_group fa_method fa_percentage fa_profile@-177 model_code "
    "short_sale_slot location exempt_code oca_type rule_80a settling_firm all_or_none "
    "min_quantity percent_offset e_trade_only firm_quote_only nbbo_cap auction "
    "starting_price stock_ref_price delta stock_lower stock_upper override volatility "
    "volatility_type delta_neutral_type delta_aux continuous_update reference_type "
    "trail_stop trail_percent"
)
"""An order as clients send it, behind its id and contract, as far as it is of use."""
