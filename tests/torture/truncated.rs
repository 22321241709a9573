//! The general law: an image whose last layer was cut is not clean, wherever it was cut.

use cve_monitor_core::vocabulary::Digest;

use crate::case::Subject;
use crate::families::FAMILIES;
use crate::image::{Image, Layer};
use crate::layout::Layout;
use crate::run::Run;

/// Layers that are larger than this are not cut: reading them again and again takes time and shows nothing new.
const MAX_CUT_BYTES: usize = 4 << 20;

/// Where a layer is cut, in percent of its bytes.
const CUTS: [usize; 3] = [3, 45, 97];

/// The image with less of its last layer, named by the digest of what is left.
fn cut(image: &Image, percent: usize) -> Option<Image> {
    let mut image = image.clone();
    let last = image.layers.pop()?;
    let whole = last.bytes.len();
    // Between members an archive may end, and is whole.
    let at = (whole * percent / 100).next_multiple_of(512) + 200;
    let at = if whole < 600 { whole * percent / 100 } else { at };
    if at >= whole || at == 0 || whole > MAX_CUT_BYTES || last.bytes[at..].iter().all(|&byte| byte == 0) {
        return None;
    }
    image.layers.push(Layer::raw(last.media_type, last.bytes[..at].to_vec()));
    Some(image)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_image_whose_last_layer_was_cut_is_clean() {
    let work = tempfile::tempdir().unwrap();
    let mut layout = Layout::create(work.path().join("layout"));
    let mut written: Vec<(String, Digest)> = vec![];
    for (_, rows) in FAMILIES {
        for row in rows() {
            let Subject::Image(image) = &row.subject else { continue };
            for percent in CUTS {
                let Some(image) = cut(image, percent) else { continue };
                let manifest = image.write(&mut layout);
                let digest = layout.put(&manifest);
                written.push((format!("{} cut at {percent} %", row.name), digest));
            }
        }
    }
    layout.finish();
    let run = Run::over("oci-layout", &layout.folder, work.path()).await;
    assert!(written.len() > 400, "{} images were cut", written.len());
    for (name, digest) in &written {
        let verdict = run.verdict(digest).await;
        assert_ne!(verdict, "clean", "{name}");
    }
    println!("{} images were cut: none is clean", written.len());
}
