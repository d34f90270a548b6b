//! The Chinese sentences.

use super::{hour_and_minute, other, spoken_codes, tail};
use crate::domain::document::Kind;
use crate::domain::finding::{BannedReason, ConcernedCode, Finding, Side};
use crate::domain::observation::{Cause, LentFrom, ObservationKey, What};
use crate::domain::rules::{RuleId, Scope};
use crate::domain::time::Timestamp;
use crate::domain::trace_code::InvalidReason;

/// What explains a withdrawal.
pub(super) fn explanation(cause: &Cause) -> String {
    let Some(document) = &cause.document else {
        return "随时间推移，该情形已不成立。".to_owned();
    };
    let document = format!("机构{}的单据{}", document.institution_id, document.document_id);
    match cause.what {
        What::Retracted if cause.moved_to_settlement => {
            format!("{document}撤销或更正后，该次销售改按其结算单判定。")
        }
        _ if cause.moved_to_settlement => {
            format!("{document}上传后，该次销售已与其结算单合并，此后按结算单判定。")
        }
        What::Asserted => format!("{document}上传后，该情形已得到说明。"),
        What::Retracted => format!("{document}撤销或更正后，该情形已不成立。"),
        What::Reference => format!("基础数据更新后重新核对{document}，该情形已不成立。"),
        What::Tick => "随时间推移，该情形已不成立。".to_owned(),
    }
}

/// Whose code it is that a settlement borrows.
pub(super) fn lent((settlement, from): (&ObservationKey, &LentFrom)) -> String {
    let (document, line) = (&settlement.document.document_id, &settlement.line_id);
    let LentFrom { document_id, line_id } = from;
    format!("结算单{document}明细{line}未写该码，系取自同一机构发药单据{document_id}明细{line_id}。")
}

/// What a name in a rule's sentence stands for.
pub(super) fn piece(name: &str, finding: &Finding, code: &str) -> Option<String> {
    let attributes = &finding.attributes;
    let spoken = match name {
        // Of a line.
        "line" => line(finding),
        "shortfall" => attributes.shortfall.map_or(String::new(), |q| format!("{q}个包装")),
        "codes" => codes(&attributes.codes, |code| format!("{}{}", tail(&code.code), taken(code))),
        "invalid_codes" => codes(&attributes.codes, |code| {
            let why = code.invalid.map_or("无法识别", invalid);
            format!("“{}”（{why}）{}", tail(&code.code), taken(code))
        }),
        "products_of_codes" => codes(&attributes.codes, |code| {
            let name = code.product_name.as_deref().or(code.product_code.as_deref());
            format!("尾号{}{}属于{}", tail(&code.code), taken(code), name.unwrap_or("其他产品"))
        }),
        "grounds" => {
            let grounds: Vec<&str> = attributes.banned.iter().copied().map(banned).collect();
            grounds.join("、")
        }
        "parts" => attributes.count.map_or(String::new(), |count| format!("（已有{count}项内容）")),
        // Of a code, and of the two sides.
        "package" => package(finding, code),
        "event" => event(&finding.subject),
        "mine" => mine(finding),
        "theirs" => event(other(finding)),
        "settled" => when(other(finding).occurred_at),
        "scope" => finding.scope.map_or("", scope).to_owned(),
        "grace" => attributes.grace_hours.map_or(String::new(), |hours| format!("{hours}小时")),
        "sums" => match (attributes.need, attributes.used, attributes.content) {
            (Some(need), Some(used), Some(content)) => {
                format!("本次{need}个单位，此前已用{used}个，而一码只含{content}个")
            }
            _ => "累计数量超过一码所含".to_owned(),
        },
        "count" => attributes.count.map_or(String::new(), |count| format!("{count}条")),
        // Of either.
        "product" => product(finding),
        "money" => money(finding),
        _ => return None,
    };
    Some(spoken)
}

/// `追溯码尾号016835的“氨溴索”`.
fn package(finding: &Finding, code: &str) -> String {
    let name = finding.product_name.as_ref().filter(|_| finding.rule != RuleId::Swap);
    let name = name.map_or("产品".to_owned(), |name| format!("“{name}”"));
    format!("追溯码尾号{}的{name}", tail(code))
}

/// `机构P37020300001于2026年1月5日09:31结算的单据S1明细1“氨溴索”`.
fn line(finding: &Finding) -> String {
    let side = &finding.subject;
    let (document, line_id) = (&side.key.document.document_id, &side.key.line_id);
    let name = finding.product_name.as_ref().filter(|_| finding.rule != RuleId::Swap);
    let name = name.map_or(String::new(), |name| format!("“{name}”"));
    format!("{}的单据{document}明细{line_id}{name}", event(side))
}

/// `机构P37020300001于2026年1月5日09:31结算`.
fn event(side: &Side) -> String {
    format!("机构{}于{}{}", side.key.document.institution_id, when(side.occurred_at), verb(side.kind))
}

/// The subject after the other side: `该机构又于2026年1月5日09:31结算` where both are the same institution.
fn mine(finding: &Finding) -> String {
    let side = &finding.subject;
    if side.key.document.institution_id == other(finding).key.document.institution_id {
        format!("该机构又于{}{}", when(side.occurred_at), verb(side.kind))
    } else {
        event(side)
    }
}

fn when(moment: Timestamp) -> String {
    let (year, month, day) = moment.day().civil();
    format!("{year}年{month}月{day}日{}", hour_and_minute(moment))
}

pub(in crate::present) fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::PurchaseIn => "采购入库",
        Kind::TransferIn => "调拨入库",
        Kind::GiftIn => "赠药入库",
        Kind::GainIn => "盘盈入库",
        Kind::OtherIn => "其他入库",
        Kind::PurchaseReturn => "采购退货出库",
        Kind::TransferOut => "调拨出库",
        Kind::GiftReturn => "赠药退回出库",
        Kind::LossOut => "盘亏出库",
        Kind::Destroyed => "销毁",
        Kind::OtherOut => "其他出库",
        Kind::Stocktake => "盘存",
        Kind::Dispense => "售出",
        Kind::DispenseReturn => "接受退药",
        Kind::Settlement => "结算",
    }
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        // The sentence says so where it names the institution.
        Scope::Institution => "",
        Scope::Region => "（同一地区）",
        Scope::OtherRegion => "（跨地区）",
    }
}

fn banned(reason: BannedReason) -> &'static str {
    match reason {
        BannedReason::Expired => "已过有效期",
        BannedReason::Recalled => "该批号已召回",
        BannedReason::Listed => "该码列入禁售名单",
    }
}

pub(in crate::present) fn invalid(reason: InvalidReason) -> &'static str {
    match reason {
        InvalidReason::CheckDigit => "校验位错误",
        InvalidReason::Placeholder => "是占位字符而不是追溯码",
        InvalidReason::LogisticsLabel => "是物流单元条码而不是追溯码",
        InvalidReason::PartOfSet => "是套装中单件的条码",
        InvalidReason::Rounded => "被当作数字处理而丢失末位",
        InvalidReason::NotATraceCode => "是机构编号或目录编码而不是追溯码",
        InvalidReason::Barcode69 => "是商品条码而不是追溯码",
        InvalidReason::Doubled => "同一码扫了两遍",
        InvalidReason::Truncated => "位数不足",
        InvalidReason::Overlong => "位数过多",
        InvalidReason::Unrecognised => "无法识别",
    }
}

/// Which hand-over lent it.
fn taken(code: &ConcernedCode) -> String {
    code.lent_from
        .as_ref()
        .map_or(String::new(), |from| format!("（取自发药单据{}明细{}）", from.document_id, from.line_id))
}

fn product(finding: &Finding) -> String {
    let name = finding.product_name.as_deref().or(finding.product_code.as_deref());
    name.map_or_else(|| "另一种产品".to_owned(), |name| format!("“{name}”"))
}

fn money(finding: &Finding) -> String {
    finding.amount_at_risk.map_or(String::new(), |amount| format!("，涉及基金{amount}元"))
}

fn codes(codes: &[ConcernedCode], speak: impl Fn(&ConcernedCode) -> String) -> String {
    let (spoken, more) = spoken_codes(codes, speak);
    let more = if more == 0 { String::new() } else { format!("等{}个", codes.len()) };
    format!("{}{more}", spoken.join("、"))
}
