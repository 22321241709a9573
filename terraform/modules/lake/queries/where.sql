-- Where a CVE is, with tags: of each image, its newest report decides; put yours for CVE-2025-5278
WITH asked AS (SELECT 'CVE-2025-5278' AS cve),
reported AS (
  SELECT r.analyzedimagename, r.assessedat,
    array_sort(array_distinct(r.tags || flatten(transform(r.parentindexes, p -> p.tags)))) AS alltags,
    filter(
      r.vulnerabilities.critical || r.vulnerabilities.high || r.vulnerabilities.medium || r.vulnerabilities.low
        || r.vulnerabilities.negligible || r.vulnerabilities.unknown,
      f -> f.name = a.cve OR contains(f.aliases, a.cve) OR contains(f.records, a.cve)
    ) AS findings
  FROM reports r
  CROSS JOIN asked a
),
latest AS (
  SELECT analyzedimagename AS image, max_by(alltags, assessedat) AS tags, max_by(findings, assessedat) AS findings,
    max(assessedat) AS assessedat
  FROM reported
  GROUP BY analyzedimagename
)
SELECT l.image, l.tags, f.name, f.severity, f.featurename AS package, f.featureversion AS version, f.fixedby, f.layer,
  l.assessedat
FROM latest l
CROSS JOIN UNNEST(l.findings) AS f (
  name, namespacename, description, link, severity, severitysource, status, featurename, featureversion, featurearchitecture,
  featurekind, sourcename, fixedby, location, layer, aliases, records, cvss, epss, knownexploited
)
ORDER BY l.image, package
