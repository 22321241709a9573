//! Release files of real distributions.

use super::*;

fn ecosystem_of(text: &str) -> Option<String> {
    Distribution::parse(text).and_then(|distribution| distribution.ecosystem)
}

#[test]
fn releases_have_an_ecosystem_each() {
    for (text, expected) in [
        ("ID=debian\nVERSION_ID=\"12\"", Some("Debian:12")),
        ("ID=debian\nVERSION_ID=12.4", Some("Debian:12")),
        ("ID=ubuntu\nVERSION_ID='22.04'", Some("Ubuntu:22.04:LTS")),
        ("ID=ubuntu\nVERSION_ID=\"24.10\"", Some("Ubuntu:24.10")),
        ("ID=ubuntu\nVERSION_ID=\"23.04\"", Some("Ubuntu:23.04")),
        ("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux trixie/sid\"", None),
        ("ID=kali\nID_LIKE=debian\nVERSION_ID=\"2024.1\"", None),
        ("ID=alpine\nVERSION_ID=3.19.1", Some("Alpine:v3.19")),
        ("ID=alpine\nVERSION_ID=3.21_alpha20240807", None),
        ("ID=alpine\nVERSION_ID=edge", None),
        ("ID=wolfi\nVERSION_ID=\"20230201\"", Some("Wolfi")),
        ("ID=chainguard", Some("Chainguard")),
        ("ID=alpaquita\nVERSION_ID=stream", Some("Alpaquita:stream")),
        ("ID=\"almalinux\"\nVERSION_ID=\"8.5\"", Some("AlmaLinux:8")),
        ("ID=rocky\nVERSION_ID=9.3", Some("Rocky Linux:9")),
        ("ID=rhel\nVERSION_ID=9.4", Some("Red Hat:enterprise_linux:9")),
        ("ID=centos\nVERSION_ID=7", None),
        ("ID=fedora\nVERSION_ID=40", None),
        (
            "ID=sles\nVERSION_ID=15.5\nPRETTY_NAME=\"SUSE Linux Enterprise Server 15 SP5\"",
            Some("SUSE:Linux Enterprise Server 15 SP5"),
        ),
        ("ID=slackware\nVERSION_ID=15.0\nPRETTY_NAME=\"Slackware 15.0\"", None),
        ("ID=opensuse-leap\nVERSION_ID=15.5\nPRETTY_NAME=\"openSUSE Leap 15.5\"", Some("openSUSE:Leap 15.5")),
        ("ID=opensuse-tumbleweed\nPRETTY_NAME=\"openSUSE Tumbleweed\"", Some("openSUSE:Tumbleweed")),
        ("ID=photon\nVERSION_ID=4.0", Some("Photon OS:4.0")),
        ("ID=mageia\nVERSION_ID=9", Some("Mageia:9")),
        ("ID=azurelinux\nVERSION_ID=3.0", Some("Azure Linux:3")),
        ("ID=mariner\nVERSION_ID=2.0.20240123", Some("Azure Linux:2")),
        ("ID=openEuler\nPRETTY_NAME=\"openEuler 22.03 (LTS-SP3)\"", Some("openEuler:22.03-LTS-SP3")),
        ("ID=openEuler\nPRETTY_NAME=\"openEuler 24.09\"", Some("openEuler:24.09")),
    ] {
        assert_eq!(ecosystem_of(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn files_of_the_time_before_os_release_name_it_too() {
    for (path, text, id, version, ecosystem) in [
        ("etc/alpine-release", "3.4.6\n", "alpine", Some("3.4.6"), Some("Alpine:v3.4")),
        ("etc/redhat-release", "CentOS release 6.10 (Final)\n", "centos", Some("6.10"), None),
        (
            "etc/redhat-release",
            "Red Hat Enterprise Linux Server release 6.10 (Santiago)",
            "rhel",
            Some("6.10"),
            Some("Red Hat:enterprise_linux:6"),
        ),
        ("etc/oracle-release", "Oracle Linux Server release 6.10\n", "ol", Some("6.10"), None),
        (
            "etc/almalinux-release",
            "AlmaLinux release 8.5 (Arctic Sphynx)",
            "almalinux",
            Some("8.5"),
            Some("AlmaLinux:8"),
        ),
        ("etc/system-release", "Amazon Linux AMI release 2018.03", "amzn", Some("2018.03"), None),
        ("etc/debian_version", "7.11\n", "debian", Some("7.11"), Some("Debian:7")),
        ("etc/debian_version", "wheezy/sid\n", "debian", None, None),
        (
            "etc/lsb-release",
            "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=12.04\nDISTRIB_DESCRIPTION=\"Ubuntu 12.04.5 LTS\"\n",
            "ubuntu",
            Some("12.04"),
            Some("Ubuntu:12.04:LTS"),
        ),
    ] {
        let found = Distribution::parse_file(path, text).unwrap();
        assert_eq!((found.id.as_str(), found.version_id.as_deref()), (id, version), "{text}");
        assert_eq!(found.ecosystem.as_deref(), ecosystem, "{text}");
    }
    for (path, text) in [("etc/redhat-release", "Something release 1"), ("etc/alpine-release", "\n")] {
        assert_eq!(Distribution::parse_file(path, text), None, "{text}");
    }
}

#[test]
fn the_last_of_a_field_counts_and_quotes_come_off() {
    let found = Distribution::parse("ID=a\n# ID=c\nID=\"b\"\nPRETTY_NAME=\"The \\\"B\\\"\"\n").unwrap();
    assert_eq!(found.id, "b");
    assert_eq!(found.pretty_name.as_deref(), Some("The \"B\""));
    assert_eq!(found.namespace(), "b");
}

#[test]
fn a_text_without_an_id_names_nothing() {
    assert_eq!(Distribution::parse("NAME=x\n"), None);
    assert_eq!(Distribution::parse(""), None);
}
