-- Findings by day, repository and severity, in the reports of the last 30 days
SELECT year, month, day, ecrmetadata.repositoryname AS repository,
  sum(cardinality(vulnerabilities.critical)) AS critical,
  sum(cardinality(vulnerabilities.high)) AS high,
  sum(cardinality(vulnerabilities.medium)) AS medium,
  sum(cardinality(vulnerabilities.low)) AS low
FROM reports
WHERE concat(year, month, day) >= date_format(current_date - INTERVAL '30' DAY, '%Y%m%d')
GROUP BY year, month, day, ecrmetadata.repositoryname
ORDER BY year, month, day, repository
