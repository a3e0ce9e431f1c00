//! What reps do all day: calls and mails (`Task`) and meetings (`Event`), mostly about their open deals.

use crate::sample::book::{Book, Deal};
use crate::sample::calendar::{Day, Moment, Month};
use crate::sample::id::{self, Id};
use crate::sample::people::{Rep, Story};
use crate::sample::plan::{NIGHTS, Plan, percent};
use crate::sample::rng::Rng;
use crate::sample::stages::Stage;
use crate::sample::table::Table;

/// Activities by month in percent of the usual.
const SEASON: [i64; 12] = [96, 101, 110, 99, 97, 108, 92, 66, 112, 104, 104, 84];

/// What an activity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// On the telephone: outbound?
    Call(bool),
    /// An e-mail.
    Email,
    /// A thing to do.
    ToDo,
    /// A meeting.
    Meeting,
}

/// A call, mail, thing to do or meeting.
pub struct Activity {
    /// Its record.
    pub id: Id,
    /// What it is.
    pub what: What,
    who: Option<Id>,
    /// The deal it was about.
    pub deal: Option<Id>,
    /// The account it was about.
    pub account: Option<Id>,
    owner: Id,
    /// The day it is meant for.
    pub day: Day,
    /// When it was entered.
    pub created: Moment,
    /// When it was done or held, if ever.
    pub done: Option<Moment>,
    /// When somebody deleted it.
    pub deleted: Option<Moment>,
    /// The deal's stage that day.
    stage: Option<Stage>,
    /// For all that only has to look different.
    dice: usize,
}

/// Everything that a rep did since a month, or planned to do shortly after the last night.
pub fn of(plan: &Plan, rep: &Rep, book: &Book, from: Month) -> Vec<Activity> {
    let mut list = Vec::new();
    for month in from.to(plan.last.plus(1)).filter(|month| rep.works_in(*month)) {
        let mut rng = Rng::stream(plan.seed, "activities", month.stream(rep.index));
        let (first, last) = (month.first(), month.last());
        let deals: Vec<&Deal> = book.deals.iter().filter(|deal| touches(deal, first, last)).collect();
        let effort = percent(SEASON[month.of_year()] * i64::from(plan.activities), rep.temper_in(month).effort);
        let mean = percent(effort, rng.around(80, 120));
        for n in 0..rng.rounded(mean) as usize {
            let day = rng.pick(&plan.calendar.workdays(month));
            // Two in a hundred on a Saturday or Sunday, if the next days are one.
            let day = if rng.chance(2) { day.plus(rng.between(1, 2)) } else { day };
            // Drawn for whole months; what falls before the first or after the last day at work did not happen.
            if day >= rep.hired && rep.last_day().is_none_or(|last| day <= last) {
                let number = month.serial() * 5_000 + n;
                let what = rng.weighted(&KINDS);
                list.push(activity(plan, rep, book, &deals, what, (number, day), &mut rng));
            }
        }
        if let Story::FewerMeetings(since) = rep.story {
            list.extend(meetings(plan, rep, book, &deals, month, since));
        }
    }
    if rep.index == 3 {
        list.extend(written_out(rep, book));
    }
    list
}

/// What people do, and how often.
const KINDS: [(i64, What); 5] =
    [(54, What::Call(true)), (6, What::Call(false)), (22, What::Email), (3, What::ToDo), (15, What::Meeting)];

/// A rep's meetings of a month: two or three a day, of which ten a week are held; `since` some day hardly three.
fn meetings(plan: &Plan, rep: &Rep, book: &Book, deals: &[&Deal], month: Month, since: Day) -> Vec<Activity> {
    let mut rng = Rng::stream(plan.seed, "meetings", month.stream(rep.index));
    let mut list = Vec::new();
    for day in plan.calendar.workdays(month) {
        let count = rng.weighted(&if day < since { [(50, 2), (50, 3)] } else { [(35, 0), (65, 1)] });
        for _ in 0..count {
            let number = 6_000_000 + month.serial() * 200 + list.len();
            list.push(activity(plan, rep, book, deals, What::Meeting, (number, day), &mut rng));
        }
    }
    list
}

fn touches(deal: &Deal, first: Day, last: Day) -> bool {
    deal.created().day <= last && deal.steps.last().is_some_and(|step| step.at.day >= first)
}

fn activity(
    plan: &Plan,
    rep: &Rep,
    book: &Book,
    deals: &[&Deal],
    what: What,
    (number, day): (usize, Day),
    rng: &mut Rng,
) -> Activity {
    let (kind, at) = match what {
        What::Meeting => (id::Kind::Event, day.at(rng.between(8, 16) as i32, 30 * rng.below(2) as i32)),
        _ => (id::Kind::Task, plan.calendar.hours(day, rng)),
    };
    let planned = (what == What::Meeting || rng.chance(18)) && day > rep.hired;
    let created = if planned {
        let before = plan.calendar.workday_to(day.plus(-rng.between(1, 12)));
        plan.calendar.hours(before.max(rep.hired).min(day.plus(-1)), rng)
    } else {
        at
    };
    let done = (!planned || what == What::Meeting || rng.chance(82)).then_some(at);
    // Nobody speaks about a deal that is not there yet; who finds none in four tries calls a lead, or just anybody.
    let about = (0..4).filter(|_| !deals.is_empty()).map(|_| rng.pick(deals));
    let deal = about.filter(|deal| deal.created() < created).find_map(|deal| Some((deal, deal.open_on(day)?.stage)));
    let lead = (deal.is_none() && !book.leads.is_empty()).then(|| &book.leads[rng.below(book.leads.len())]);
    Activity {
        id: Id::new(kind, rep.index, number),
        what,
        who: lead.filter(|lead| lead.created < created).map(|lead| lead.id),
        deal: deal.map(|(deal, _)| deal.id),
        account: deal.map(|(deal, _)| deal.account),
        owner: rep.id,
        day,
        created,
        done,
        deleted: None,
        stage: deal.map(|(_, stage)| stage),
        dice: rng.below(1_000_000),
    }
}

/// A call on the first night's day that was entered twice, and the second entry deleted the next morning; and a call
/// that was planned on the first day and made on the second.
fn written_out(rep: &Rep, book: &Book) -> [Activity; 3] {
    let [_, day, next] = NIGHTS;
    let call = |n: usize, day: Day, created: Moment, done: Moment, deleted: Option<Moment>| Activity {
        id: Id::new(id::Kind::Task, rep.index, 5_000_000 + n),
        what: What::Call(true),
        who: None,
        deal: None,
        account: book.accounts.first().map(|account| account.id),
        owner: rep.id,
        day,
        created,
        done: Some(done),
        deleted,
        stage: None,
        dice: 18,
    };
    [
        call(0, day, day.at(15, 10), day.at(15, 10), None),
        call(1, day, day.at(15, 11), day.at(15, 11), Some(next.at(9, 5))),
        call(2, next, day.at(16, 40), next.at(10, 15), None),
    ]
}

impl Activity {
    /// When it was changed last, as far as a night's export knows; none if it did not exist yet.
    fn changed(&self, night: Day) -> Option<Moment> {
        let cut = night.end();
        let changes = [Some(self.created), self.done, self.deleted].into_iter().flatten();
        // Nothing is done or deleted before it is entered.
        changes.filter(|at| *at <= cut).max()
    }

    /// What became of a call, and how many seconds it took.
    pub fn answer(&self, outbound: bool) -> (&'static str, i64) {
        let mut dice = Rng::stream(0, "call", self.dice as u64);
        let (disposition, least, most) = dice.weighted(&DISPOSITIONS);
        // Who calls us has reached us.
        if outbound { (disposition, dice.between(least, most)) } else { ("Connected", dice.between(60, 1_500)) }
    }

    /// What a night knows of a meeting.
    pub fn status(&self, night: Day) -> &'static str {
        match self.dice % 25 {
            _ if self.done.is_some_and(|start| start > night.end()) => "Planned",
            0..3 => "Cancelled",
            3..5 => "No show",
            _ => "Held",
        }
    }

    /// Whether it belongs into a night's export, which holds what was changed since the night before.
    pub fn news(&self, after: Option<Day>, night: Day) -> Option<Moment> {
        self.changed(night).filter(|at| after.is_none_or(|after| *at > after.end()))
    }
}

/// Who reached whom, how long it took at least and at most, and how often that happens.
const DISPOSITIONS: [(i64, (&str, i64, i64)); 5] = [
    (29, ("Connected", 60, 1_500)),
    (38, ("No answer", 0, 9)),
    (23, ("Voicemail", 15, 70)),
    (7, ("Busy", 0, 4)),
    (3, ("Wrong number", 5, 30)),
];

const CALLS: [&str; 5] = ["Call", "Follow-up call", "Call: budget & dates?", "Return call", "Call re: \"lab trial\""];
const MAILS: [&str; 5] =
    ["Email: data sheet", "Email: offer <rev. 2>", "Re: delivery, prices", "Email", "- reminder -"];

/// `Task`: calls, mails and things to do.
pub fn tasks(list: &[Activity], after: Option<Day>, night: Day, table: &mut Table<'_>) {
    for task in list.iter().filter(|activity| activity.what != What::Meeting) {
        let Some(changed) = task.news(after, night) else { continue };
        let done = task.done.filter(|done| *done <= night.end());
        let (subtype, subject) = match task.what {
            What::Call(_) => ("Call", CALLS[task.dice % 5]),
            What::Email => ("Email", MAILS[task.dice % 5]),
            _ => ("Task", "Prepare offer; check stock"),
        };
        table.id(task.id).id(task.who).id(task.deal).id(task.account).id(task.owner).text(subject);
        table.text(if done.is_some() { "Completed" } else { "Not Started" }).day(task.day).text(subtype);
        match task.what {
            What::Call(outbound) => {
                table.text(if outbound { "Outbound" } else { "Inbound" });
                let (disposition, seconds) = task.answer(outbound);
                match done {
                    None => table.null().null(),
                    Some(_) => table.text(disposition).number(seconds),
                };
                table.text(purpose(task.stage));
            }
            _ => {
                table.null().null().null().null();
            }
        }
        table.moment(done).moment(task.created).moment(changed);
        table.flag(task.deleted == Some(changed)).text(note(task.dice)).end();
    }
}

fn purpose(stage: Option<Stage>) -> &'static str {
    match stage {
        None => "Set-up",
        Some(Stage::Prospecting | Stage::Qualification) => "Discovery",
        Some(Stage::NeedsAnalysis | Stage::Proposal) => "Pricing",
        Some(_) => "Negotiation",
    }
}

fn note(dice: usize) -> &'static str {
    match dice % 60 {
        0 => "Asked for call back;\nprefers \"after lunch\"",
        1 => "=> send prices & terms",
        2 => "Spoke to lab, not purchasing",
        _ => "",
    }
}

/// `Event`: meetings. They are planned first, and held, cancelled or missed later.
pub fn events(list: &[Activity], after: Option<Day>, night: Day, table: &mut Table<'_>) {
    for event in list.iter().filter(|activity| activity.what == What::Meeting) {
        let Some(changed) = event.news(after, night) else { continue };
        let Some(start) = event.done else { continue };
        let (kind, subject) = match event.stage {
            None | Some(Stage::Prospecting | Stage::Qualification) => ("Discovery", "Needs & measuring points"),
            Some(Stage::NeedsAnalysis) => ("Demo", "Demo with own samples"),
            Some(_) => ("Review", "Offer review, next steps"),
        };
        let status = event.status(night);
        let minutes = [30, 45, 60, 60, 90][event.dice / 25 % 5];
        table.id(event.id).id(event.who).id(event.deal).id(event.account).id(event.owner).text(subject);
        table.text(kind).text(status).moment(start).moment(start.later(minutes)).day(event.day);
        table.moment(event.created).moment(changed).flag(false).text(note(event.dice)).end();
    }
}
