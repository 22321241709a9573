-- Findings by day, repository and severity in the last 30 days: of each image, its newest report up to that day
WITH reported AS (
  SELECT registry.name AS registry, ecrmetadata.repositoryname AS repository,
    CAST(substr(assessedat, 1, 10) AS date) AS since,
    lead(CAST(substr(assessedat, 1, 10) AS date)) OVER (PARTITION BY analyzedimagename ORDER BY assessedat) AS superseded,
    cardinality(vulnerabilities.critical) AS critical, cardinality(vulnerabilities.high) AS high,
    cardinality(vulnerabilities.medium) AS medium, cardinality(vulnerabilities.low) AS low,
    cardinality(vulnerabilities.negligible) AS negligible, cardinality(vulnerabilities.unknown) AS unknown
  FROM reports
),
days AS (
  SELECT d.day
  FROM UNNEST(sequence(current_date - INTERVAL '29' DAY, current_date, INTERVAL '1' DAY)) AS d (day)
)
SELECT CAST(d.day AS varchar) AS day, r.registry, r.repository, count(*) AS images, sum(r.critical) AS critical,
  sum(r.high) AS high, sum(r.medium) AS medium, sum(r.low) AS low, sum(r.negligible) AS negligible, sum(r.unknown) AS unknown
FROM reported r
JOIN days d ON r.since <= d.day AND (r.superseded IS NULL OR r.superseded > d.day)
GROUP BY d.day, r.registry, r.repository
ORDER BY d.day, r.registry, r.repository
