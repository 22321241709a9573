-- Images without a fresh report: their newest is older than 30 days, since nothing changed or nobody looked
WITH reported AS (
  SELECT analyzedimagename, assessedat, verdict,
    array_sort(array_distinct(tags || flatten(transform(parentindexes, p -> p.tags)))) AS alltags
  FROM reports
),
latest AS (
  SELECT analyzedimagename AS image, max_by(alltags, assessedat) AS tags, max_by(verdict, assessedat) AS verdict,
    max(assessedat) AS assessedat
  FROM reported
  GROUP BY analyzedimagename
)
SELECT image, tags, verdict, assessedat
FROM latest
WHERE CAST(substr(assessedat, 1, 10) AS date) < current_date - INTERVAL '30' DAY
ORDER BY assessedat, image
