-- What reports of yesterday and today found that the report before them had not
SELECT r.analyzedimagename, r.tags, n.name, n.severity, n.featurename, n.featureversion, n.fixedby, r.assessedat
FROM reports r
CROSS JOIN UNNEST(r.new) AS n (name, featurename, featureversion, severity, status, fixedby, location)
WHERE concat(r.year, r.month, r.day) IN (
    date_format(current_date, '%Y%m%d'),
    date_format(current_date - INTERVAL '1' DAY, '%Y%m%d')
  )
  AND r.previousreportid IS NOT NULL
ORDER BY r.assessedat DESC, n.name
