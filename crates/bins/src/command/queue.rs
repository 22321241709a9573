//! `queue`: how much lies in each lane, the dead letters, and sending them again.

use cve_monitor_core::ports::DeadLetter;
use cve_monitor_core::vocabulary::{Lane, RequestId, ScanRequest};

use super::print_rows;
use crate::cli::{EXIT_ERROR, EXIT_OK, Queue, QueueCommand};
use crate::config::Loaded;
use crate::present::{self, DeadRow, QueueRow, Screen};
use crate::runtime::Failure;
use crate::wiring::System;

/// Dead letters that are read at a time.
const PAGE: usize = 200;

pub(super) async fn queue(loaded: &Loaded, asked: &Queue) -> Result<u8, Failure> {
    let system = System::for_questions(loaded).await?;
    let screen = Screen::of_stdout();
    match &asked.command {
        QueueCommand::Stats { format } => {
            let rows = lanes(&system).await?;
            print_rows(*format, &rows, || present::queue_text(&rows, system.ports.clock.now(), screen))?;
            Ok(EXIT_OK)
        }
        QueueCommand::Dead { format } => {
            let rows: Vec<DeadRow> = letters(&system).await?.iter().map(row).collect();
            print_rows(*format, &rows, || present::dead_text(&rows, screen))?;
            Ok(EXIT_OK)
        }
        QueueCommand::Redrive { id, all } => redrive(&system, id.as_deref(), *all).await,
    }
}

async fn lanes(system: &System) -> Result<Vec<QueueRow>, Failure> {
    let mut rows = vec![];
    for lane in Lane::ALL {
        let depth = system.ports.queue.depth(lane).await.map_err(Failure::of)?;
        rows.push(QueueRow {
            lane: lane.to_string(),
            ready: depth.ready,
            leased: depth.leased,
            oldest: None,
        });
    }
    Ok(rows)
}

async fn letters(system: &System) -> Result<Vec<DeadLetter>, Failure> {
    let (mut all, mut after) = (vec![], None);
    loop {
        let page = system.ports.queue.dead_letters(after, PAGE).await.map_err(Failure::of)?;
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}

fn row(letter: &DeadLetter) -> DeadRow {
    let request: Option<ScanRequest> = serde_json::from_str(&letter.body).ok();
    DeadRow {
        id: letter.id.to_string(),
        image: request.map_or_else(|| "(unreadable)".to_owned(), |request| request.image.to_string()),
        reason: letter.reason.as_str().to_owned(),
        at: letter.at,
        detail: letter.detail.clone(),
    }
}

async fn redrive(system: &System, id: Option<&str>, all: bool) -> Result<u8, Failure> {
    let ids: Vec<RequestId> = match id {
        Some(id) => vec![RequestId(id.to_owned())],
        None if all => letters(system).await?.into_iter().map(|letter| letter.id).collect(),
        None => {
            return Err(Failure::usage("name a dead letter (see `cve-monitor queue dead`), or say --all"));
        }
    };
    let mut code = EXIT_OK;
    let mut sent = 0_u64;
    for id in &ids {
        if system.ports.queue.redrive(id).await.map_err(Failure::of)? {
            sent += 1;
        } else {
            eprintln!("error: there is no dead letter {id}; `cve-monitor queue dead` lists them");
            code = EXIT_ERROR;
        }
    }
    println!("{sent} sent again");
    Ok(code)
}
