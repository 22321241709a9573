//! The advisory ecosystem of a distribution's release, as OSV names it (OSV schema, "Defined ecosystems").

/// The ecosystem; none where OSV has none. Derivatives are left out on purpose: their packages are not those that
/// the advisories speak of.
pub(super) fn ecosystem(id: &str, version: Option<&str>, pretty_name: Option<&str>) -> Option<String> {
    match id {
        // Rolling releases: one ecosystem, whatever the day.
        "wolfi" => return Some("Wolfi".to_owned()),
        "chainguard" => return Some("Chainguard".to_owned()),
        "minimos" => return Some("MinimOS".to_owned()),
        "cleanstart" => return Some("CleanStart".to_owned()),
        "echo" => return Some("Echo".to_owned()),
        // Their ecosystems are named after the products, not after the numbers of their releases.
        "opensuse-leap" | "opensuse-tumbleweed" => {
            return Some(format!("openSUSE:{}", pretty_name?.strip_prefix("openSUSE ")?));
        }
        "openeuler" => return open_euler(pretty_name?),
        _ if id.starts_with("sl") => {
            return Some(format!("SUSE:{}", pretty_name?.strip_prefix("SUSE ")?));
        }
        _ => {}
    }
    let version = version?;
    let major = version.split('.').next().unwrap_or(version);
    let of_major = |name: &str| is_number(major).then(|| format!("{name}:{major}"));
    match id {
        "debian" => of_major("Debian"),
        "ubuntu" => ubuntu(version),
        "alpine" => alpine(version),
        "alpaquita" => Some(format!("Alpaquita:{version}")),
        "almalinux" => of_major("AlmaLinux"),
        "rocky" => of_major("Rocky Linux"),
        "rhel" => of_major("Red Hat:enterprise_linux"),
        "photon" => Some(format!("Photon OS:{version}")),
        "mageia" => Some(format!("Mageia:{version}")),
        "azurelinux" | "mariner" => of_major("Azure Linux"),
        _ => None,
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn ubuntu(version: &str) -> Option<String> {
    let (year, month) = version.split_once('.')?;
    let month = month.split('.').next().unwrap_or(month);
    let is_long_term = month == "04" && year.parse::<u32>().ok()? % 2 == 0;
    Some(format!("Ubuntu:{year}.{month}{}", if is_long_term { ":LTS" } else { "" }))
}

/// A branch has a name of two numbers; what is in the making (`3.21_alpha20240807`) has none.
fn alpine(version: &str) -> Option<String> {
    let mut parts = version.split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    (is_number(major) && is_number(minor) && parts.all(is_number)).then(|| format!("Alpine:v{major}.{minor}"))
}

/// `openEuler 22.03 (LTS-SP3)` is `openEuler:22.03-LTS-SP3`.
fn open_euler(pretty_name: &str) -> Option<String> {
    let release = pretty_name.strip_prefix("openEuler ")?;
    match release.split_once(" (") {
        Some((number, name)) => Some(format!("openEuler:{number}-{}", name.strip_suffix(')')?)),
        None => Some(format!("openEuler:{release}")),
    }
}
