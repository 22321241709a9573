-- Where a CVE is now, with tags: replace CVE-2025-5278
WITH latest AS (
  SELECT imagedigest, analyzedimagename, max_by(tags, assessedat) AS tags, max_by(vulnerabilities, assessedat) AS found,
    max(assessedat) AS assessedat
  FROM reports
  GROUP BY imagedigest, analyzedimagename
)
SELECT l.analyzedimagename, l.tags, f.name, f.severity, f.featurename, f.featureversion, f.fixedby, l.assessedat
FROM latest l
CROSS JOIN UNNEST(
  l.found.critical || l.found.high || l.found.medium || l.found.low || l.found.negligible || l.found.unknown
) AS f (
  name, namespacename, description, link, severity, severitysource, status, featurename, featureversion, featurearchitecture,
  featurekind, sourcename, fixedby, location, layer, aliases, records, cvss, epss, knownexploited
)
WHERE f.name = 'CVE-2025-5278'
ORDER BY l.analyzedimagename
