-- Images that were not looked at completely, and why: of each image, its newest report decides
WITH reported AS (
  SELECT analyzedimagename, assessedat, verdict, completeness,
    array_sort(array_distinct(tags || flatten(transform(parentindexes, p -> p.tags)))) AS alltags
  FROM reports
),
latest AS (
  SELECT analyzedimagename AS image, max_by(alltags, assessedat) AS tags, max_by(verdict, assessedat) AS verdict,
    max_by(completeness, assessedat) AS completeness, max(assessedat) AS assessedat
  FROM reported
  GROUP BY analyzedimagename
)
SELECT l.image, l.tags, l.verdict, l.completeness.level AS level, c.code, c.detail, l.assessedat
FROM latest l
CROSS JOIN UNNEST(l.completeness.reasons) AS c (code, detail)
ORDER BY l.image, c.code, c.detail
