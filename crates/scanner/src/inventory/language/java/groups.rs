//! Groups of well-known artifacts whose builds leave no Maven metadata in the archive: those of Gradle, Ant and
//! sbt. Advisories name them by group and artifact; without the group none would ever match.
//!
//! An artifact that Maven builds says its group itself and needs no line here.

/// A group, the first major version that it counts from, and its artifacts; one that ends with `*` stands for all
/// that begin like it. Of several lines that fit, the last counts.
type Line = (&'static str, u64, &'static [&'static str]);

const LINES: &[Line] = &[
    ("com.graphql-java", 0, &["graphql-java"]),
    ("com.h2database", 0, &["h2"]),
    ("com.jayway.jsonpath", 0, &["json-path"]),
    ("com.mchange", 0, &["c3p0", "mchange-commons-java"]),
    ("com.mysql", 0, &["mysql-connector-j"]),
    ("com.squareup.okhttp", 0, &["okhttp"]),
    ("com.squareup.okhttp3", 3, &["okhttp"]),
    ("com.squareup.okio", 0, &["okio", "okio-jvm"]),
    ("com.squareup.retrofit2", 0, &["retrofit"]),
    ("com.typesafe.akka", 0, &["akka-*"]),
    ("dom4j", 0, &["dom4j"]),
    ("org.dom4j", 2, &["dom4j"]),
    ("io.grpc", 0, &["grpc-*"]),
    ("io.micrometer", 0, &["micrometer-*"]),
    ("io.projectreactor", 0, &["reactor-core"]),
    ("io.projectreactor.netty", 0, &["reactor-netty", "reactor-netty-*"]),
    ("jdom", 0, &["jdom"]),
    ("mysql", 0, &["mysql-connector-java"]),
    ("net.sourceforge.nekohtml", 0, &["nekohtml"]),
    ("org.apache.ant", 0, &["ant", "ant-*"]),
    ("org.apache.cassandra", 0, &["cassandra-all"]),
    ("org.apache.ivy", 0, &["ivy"]),
    ("org.apache.kafka", 0, &["kafka-*", "kafka_*", "connect-runtime", "connect-api", "connect-json"]),
    ("org.apache.lucene", 0, &["lucene-*"]),
    ("org.apache.poi", 0, &["poi", "poi-*"]),
    ("org.apache.solr", 0, &["solr-*"]),
    ("org.apache.tomcat", 0, &["tomcat-*"]),
    ("org.apache.tomcat.embed", 0, &["tomcat-embed-*"]),
    ("org.apache.xmlbeans", 0, &["xmlbeans"]),
    (
        "org.bouncycastle",
        0,
        &["bcprov-*", "bcpkix-*", "bcutil-*", "bctls-*", "bcpg-*", "bcmail-*", "bc-fips"],
    ),
    ("org.codehaus.groovy", 0, &["groovy", "groovy-*"]),
    ("org.apache.groovy", 4, &["groovy", "groovy-*"]),
    ("org.elasticsearch", 0, &["elasticsearch", "elasticsearch-*"]),
    ("org.hibernate", 0, &["hibernate-core"]),
    ("org.hibernate.orm", 6, &["hibernate-core"]),
    ("org.hsqldb", 0, &["hsqldb"]),
    ("org.jdom", 0, &["jdom2"]),
    ("org.jetbrains.kotlin", 0, &["kotlin-*"]),
    ("org.jetbrains.kotlinx", 0, &["kotlinx-*"]),
    ("org.mozilla", 0, &["rhino", "rhino-*"]),
    ("org.opensearch", 0, &["opensearch", "opensearch-*"]),
    ("org.postgresql", 0, &["postgresql"]),
    ("org.scala-lang", 0, &["scala-library", "scala-compiler", "scala-reflect"]),
    ("org.springframework", 0, SPRING),
    ("org.springframework.amqp", 0, &["spring-amqp", "spring-rabbit", "spring-rabbit-*"]),
    ("org.springframework.boot", 0, &["spring-boot", "spring-boot-*"]),
    ("org.springframework.graphql", 0, &["spring-graphql", "spring-graphql-*"]),
    ("org.springframework.integration", 0, &["spring-integration-*"]),
    ("org.springframework.kafka", 0, &["spring-kafka", "spring-kafka-*"]),
    ("org.springframework.ldap", 0, &["spring-ldap-*"]),
    ("org.springframework.security", 0, &["spring-security-*"]),
    ("org.springframework.session", 0, &["spring-session-*"]),
    ("org.springframework.ws", 0, &["spring-ws-*", "spring-xml"]),
    ("xalan", 0, &["xalan", "serializer"]),
    ("xerces", 0, &["xercesImpl"]),
];

const SPRING: &[&str] = &[
    "spring-aop",
    "spring-aspects",
    "spring-beans",
    "spring-context",
    "spring-context-support",
    "spring-core",
    "spring-expression",
    "spring-instrument",
    "spring-jcl",
    "spring-jdbc",
    "spring-jms",
    "spring-messaging",
    "spring-orm",
    "spring-oxm",
    "spring-r2dbc",
    "spring-test",
    "spring-tx",
    "spring-web",
    "spring-webflux",
    "spring-webmvc",
    "spring-websocket",
];

/// Archives of Tomcat's own folder, whose names are not those of their artifacts.
const RENAMED: &[(&str, &str)] = &[
    ("catalina", "tomcat-catalina"),
    ("catalina-ha", "tomcat-catalina-ha"),
    ("catalina-tribes", "tomcat-tribes"),
    ("jasper", "tomcat-jasper"),
    ("jasper-el", "tomcat-jasper-el"),
];

/// The group of a well-known artifact.
pub(super) fn group_of(artifact: &str, version: &str) -> Option<&'static str> {
    let major = version.split(|one: char| !one.is_ascii_digit()).next().and_then(|major| major.parse().ok());
    let major: u64 = major.unwrap_or(0);
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(prefix) => artifact.len() > prefix.len() && artifact.starts_with(prefix),
        None => artifact == pattern,
    };
    let line = LINES
        .iter()
        .rfind(|(_, from, artifacts)| *from <= major && artifacts.iter().any(|pattern| fits(pattern)));
    line.map(|(group, _, _)| *group)
}

/// The artifact of a file without a version in its name, where that is well known.
pub(super) fn artifact_of_stem(stem: &str) -> Option<&str> {
    let renamed = RENAMED.iter().find(|(name, _)| *name == stem).map(|(_, artifact)| *artifact);
    renamed.or_else(|| group_of(stem, "").map(|_| stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_artifacts_have_a_group() {
        for (artifact, version, group) in [
            ("spring-core", "5.3.17", Some("org.springframework")),
            ("spring-boot-actuator", "2.7.0", Some("org.springframework.boot")),
            ("spring-security-web", "5.6.0", Some("org.springframework.security")),
            ("tomcat-embed-core", "9.0.58", Some("org.apache.tomcat.embed")),
            ("tomcat-coyote", "9.0.58", Some("org.apache.tomcat")),
            ("bcprov-jdk15on", "1.60", Some("org.bouncycastle")),
            ("kafka_2.13", "3.0.0", Some("org.apache.kafka")),
            ("our-service", "1.0", None),
            ("spring-", "1.0", None),
            ("lucene-", "9.0", None),
        ] {
            assert_eq!(group_of(artifact, version), group, "{artifact}");
        }
    }

    #[test]
    fn a_group_that_moved_depends_on_the_version() {
        for (artifact, version, group) in [
            ("hibernate-core", "5.6.1.Final", "org.hibernate"),
            ("hibernate-core", "6.0.0.Final", "org.hibernate.orm"),
            ("okhttp", "2.7.5", "com.squareup.okhttp"),
            ("okhttp", "4.9.0", "com.squareup.okhttp3"),
            ("groovy-xml", "4.0.1", "org.apache.groovy"),
        ] {
            assert_eq!(group_of(artifact, version), Some(group), "{artifact} {version}");
        }
    }

    #[test]
    fn files_without_a_version_are_known_where_their_artifact_is() {
        assert_eq!(artifact_of_stem("catalina"), Some("tomcat-catalina"));
        assert_eq!(artifact_of_stem("tomcat-coyote"), Some("tomcat-coyote"));
        assert_eq!(artifact_of_stem("jrt-fs"), None);
        assert_eq!(artifact_of_stem("app"), None);
    }
}
