//! Images made to mislead, each with the verdict that it must end with: none is `clean` that was not looked at to its end.

mod advisories;
mod archive;
mod case;
mod contents;
mod families;
mod image;
mod layout;
mod page;
mod run;
mod saved;
mod truncated;

use std::collections::BTreeSet;

use crate::case::Case;
use crate::families::FAMILIES;
use crate::layout::Layout;
use crate::run::Run;

/// The verdicts of all rows, in order.
async fn verdicts(rows: &[Case]) -> Vec<String> {
    let work = tempfile::tempdir().unwrap();
    let mut layout = Layout::create(work.path().join("layout"));
    let digests: Vec<_> = rows.iter().map(|row| row.write(&mut layout)).collect();
    layout.finish();
    let run = Run::over("oci-layout", &layout.folder, work.path()).await;
    let mut verdicts = vec![];
    for digest in &digests {
        verdicts.push(run.verdict(digest).await);
    }
    verdicts
}

#[tokio::test(flavor = "multi_thread")]
async fn every_image_ends_as_its_row_says() {
    let (mut wrong, mut names) = (vec![], BTreeSet::new());
    for (family, rows) in FAMILIES {
        println!("\n{family}");
        let rows = rows();
        for (row, verdict) in rows.iter().zip(verdicts(&rows).await) {
            assert!(names.insert(row.name), "two rows are named {}", row.name);
            println!("  {:36} {verdict}\n  {:36}   {}", row.name, "", row.why);
            if verdict != row.expected {
                wrong.push(format!("{}\n   must be  {}\n   is       {verdict}", row.name, row.expected));
            }
        }
    }
    println!("\n{} images", names.len());
    assert!(names.len() >= 150, "{} images", names.len());
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
