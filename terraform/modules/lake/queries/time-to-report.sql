-- From advisory to report, at least: how old the ecosystem's newest advisory was when a report said something new; 30 days
WITH recent AS (
  SELECT analyzedimagename, assessedat, new, knowledge.lastchanged AS lastchanged,
    vulnerabilities.critical || vulnerabilities.high || vulnerabilities.medium || vulnerabilities.low
      || vulnerabilities.negligible || vulnerabilities.unknown AS findings
  FROM reports
  WHERE year IN (date_format(current_date, '%Y'), date_format(current_date - INTERVAL '29' DAY, '%Y'))
    AND month IN (
      date_format(current_date, '%m'), date_format(current_date - INTERVAL '15' DAY, '%m'),
      date_format(current_date - INTERVAL '29' DAY, '%m')
    )
    AND concat(year, '-', month, '-', day) >= CAST(current_date - INTERVAL '29' DAY AS varchar)
    AND concat(year, '-', month, '-', day) <= CAST(current_date AS varchar)
    AND previousreportid IS NOT NULL
),
said AS (
  SELECT r.analyzedimagename AS image, n.name, n.severity, r.assessedat, r.lastchanged,
    element_at(transform(filter(r.findings, f -> f.name = n.name), f -> f.namespacename), 1) AS ecosystem
  FROM recent r
  CROSS JOIN UNNEST(r.new) AS n (name, featurename, featureversion, severity, status, fixedby, location)
),
dated AS (
  SELECT DISTINCT image, name, severity, ecosystem, assessedat,
    array_max(transform(filter(lastchanged, c -> lower(c.ecosystem) = lower(said.ecosystem)), c -> c."at")) AS changedat
  FROM said
)
SELECT image, name, severity, ecosystem, changedat, assessedat,
  round((to_unixtime(from_iso8601_timestamp(assessedat)) - to_unixtime(from_iso8601_timestamp(changedat))) / 3600, 1) AS hours
FROM dated
ORDER BY hours DESC, image, name
