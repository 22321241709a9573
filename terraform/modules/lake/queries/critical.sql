-- Images with a critical finding: of each image, its newest report decides
WITH reported AS (
  SELECT analyzedimagename, assessedat, cardinality(vulnerabilities.critical) AS findings,
    array_sort(array_distinct(tags || flatten(transform(parentindexes, p -> p.tags)))) AS alltags
  FROM reports
),
latest AS (
  SELECT analyzedimagename AS image, max_by(alltags, assessedat) AS tags, max_by(findings, assessedat) AS critical,
    max(assessedat) AS assessedat
  FROM reported
  GROUP BY analyzedimagename
)
SELECT image, tags, critical, assessedat
FROM latest
WHERE critical > 0
ORDER BY critical DESC, image
