//! The Chinese sentences.

use super::{hour_and_minute, other, spoken_codes, tail};
use crate::domain::document::Kind;
use crate::domain::finding::{BannedReason, ConcernedCode, Finding, Side};
use crate::domain::observation::{Cause, What};
use crate::domain::rules::catalogue::Judges;
use crate::domain::rules::{Basis, RuleId, Scope};
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

/// What is found.
pub(super) fn sentence(finding: &Finding, code: &str) -> String {
    let judged_on_line =
        finding.rule.entry().judges == Judges::Line && finding.basis != Some(Basis::Declared);
    if judged_on_line { of_line(finding) } else { of_code(finding, code) }
}

fn of_line(finding: &Finding) -> String {
    let line = line(finding);
    let attributes = &finding.attributes;
    let money = money(finding);
    match finding.rule {
        RuleId::NoCode => format!("{line}应扫追溯码而没有追溯码，无码不付{money}。"),
        RuleId::ShortCodes => {
            let shortfall = attributes.shortfall.map_or(String::new(), |q| format!("{q}个包装"));
            format!("{line}的追溯码数量不足，尚缺{shortfall}，未扫码的部分无法证明已实际发出{money}。")
        }
        RuleId::InvalidCode => {
            let codes = codes(&attributes.codes, |code| {
                format!("“{}”（{}）", tail(&code.code), code.invalid.map_or("无法识别", invalid))
            });
            format!("{line}有不能识别的追溯码：尾号{codes}，无法据此确认所售产品{money}。")
        }
        RuleId::UnknownProduct => {
            let codes = codes(&attributes.codes, |code| tail(&code.code).to_owned());
            format!("{line}的追溯码（尾号{codes}）的标识码未收录，无法核对产品。")
        }
        RuleId::Swap => {
            let codes = codes(&attributes.codes, |code| {
                let name = code.product_name.as_deref().or(code.product_code.as_deref());
                format!("尾号{}属于{}", tail(&code.code), name.unwrap_or("其他产品"))
            });
            let product = product(finding);
            format!("{line}上报为{product}，而追溯码{codes}，上报的与所扫的不是同一种产品{money}。")
        }
        RuleId::RefundUnmatched => {
            format!("{line}为退费，但该结算单中没有对应的明细，或退费数量多于该明细所余数量。")
        }
        RuleId::RepeatedInDocument => {
            let codes = codes(&attributes.codes, |code| tail(&code.code).to_owned());
            format!(
                "{line}的追溯码（尾号{codes}）在同一单据的前面明细已经使用，同一追溯码只能计一次{money}。"
            )
        }
        RuleId::Banned => {
            let reasons: Vec<&str> = attributes.banned.iter().copied().map(banned).collect();
            format!("{line}属于禁售范围（{}），不得销售{money}。", reasons.join("、"))
        }
        _ => {
            let count = attributes.count.map_or(String::new(), |count| format!("（已有{count}项内容）"));
            format!("{line}所在单据的内容超过处理上限{count}，未作完整核对，暂缓支付{money}。")
        }
    }
}

fn of_code(finding: &Finding, code: &str) -> String {
    let code = package(finding, code);
    let (mine, theirs) = (mine(finding), event(other(finding)));
    let attributes = &finding.attributes;
    let grace = attributes.grace_hours.map_or(String::new(), |hours| format!("{hours}小时"));
    let (money, scope) = (money(finding), finding.scope.map_or("", scope));
    match finding.rule {
        RuleId::DuplicateSettlement => {
            format!("{code}已由{theirs}，其后{mine}{scope}，同一追溯码的产品，医保基金只支付一次{money}。")
        }
        RuleId::Resale => {
            format!("{code}已由{theirs}且未退回，其后{mine}{scope}，同一追溯码的产品只能售出一次{money}。")
        }
        RuleId::OverSplit => {
            let sums = match (attributes.need, attributes.used, attributes.content) {
                (Some(need), Some(used), Some(content)) => {
                    format!("本次{need}个单位，此前已用{used}个，而一码只含{content}个")
                }
                _ => "累计数量超过一码所含".to_owned(),
            };
            let mine = event(&finding.subject);
            format!("{code}拆零销售超量：{mine}，{sums}，超出部分没有实物对应{money}。")
        }
        RuleId::HeldElsewhere => {
            let mine = event(&finding.subject);
            format!(
                "{mine}的{code}当时记在别处的库存中：{theirs}{scope}，此后如何到达该机构没有记录{money}。"
            )
        }
        RuleId::SoldAfterStockOut => {
            format!("{code}已由{theirs}，其后{mine}，已经出库的产品不应再售出{money}。")
        }
        RuleId::PersonMismatch => {
            format!("{code}由{theirs}，{}，两处的参保人不是同一人{money}。", event(&finding.subject))
        }
        RuleId::Swap => {
            let (product, mine) = (product(finding), event(&finding.subject));
            format!(
                "{code}在{mine}时申报为{product}，而在{theirs}时是另一种产品，同一追溯码不会变成另一种产品{money}。"
            )
        }
        RuleId::Reflow => {
            format!("{code}已由{theirs}且未退回，其后{mine}{scope}，已售出的产品重新进入库存{money}。")
        }
        RuleId::DuplicatePurchase => {
            format!("{code}已由{theirs}，未见出库，其后{mine}{scope}，同一件产品不会同时在两处库存。")
        }
        RuleId::SettledNotDispensed => {
            let mine = event(&finding.subject);
            format!("{mine}{code}，{grace}后仍没有对应的发药记录，基金可能为未发出的产品付费{money}。")
        }
        RuleId::NotPurchased => {
            let mine = event(&finding.subject);
            format!("{mine}{code}，{grace}后该机构仍没有该码的入库记录，产品来源无法证明{money}。")
        }
        RuleId::ReturnNotRefunded => {
            let (mine, settled) = (event(&finding.subject), when(other(finding).occurred_at));
            format!(
                "{code}已由{mine}，{grace}后该机构于{settled}的结算仍未撤销，基金不应为已退回的产品付费{money}。"
            )
        }
        _ => {
            let count = attributes.count.map_or(String::new(), |count| format!("{count}条"));
            format!(
                "{code}已有{count}有效记录，超过可核对的上限，一件产品不应有如此多的记录，相关结算暂缓支付。"
            )
        }
    }
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
        InvalidReason::Barcode69 => "是商品条码而不是追溯码",
        InvalidReason::Doubled => "同一码扫了两遍",
        InvalidReason::Truncated => "位数不足",
        InvalidReason::Overlong => "位数过多",
        InvalidReason::Unrecognised => "无法识别",
    }
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
