-- What is new since yesterday: what reports of yesterday and today found that the report before them had not
WITH recent AS (
  SELECT analyzedimagename, assessedat, new,
    array_sort(array_distinct(tags || flatten(transform(parentindexes, p -> p.tags)))) AS alltags
  FROM reports
  WHERE year IN (date_format(current_date, '%Y'), date_format(current_date - INTERVAL '1' DAY, '%Y'))
    AND month IN (date_format(current_date, '%m'), date_format(current_date - INTERVAL '1' DAY, '%m'))
    AND concat(year, '-', month, '-', day) >= CAST(current_date - INTERVAL '1' DAY AS varchar)
    AND concat(year, '-', month, '-', day) <= CAST(current_date AS varchar)
    AND previousreportid IS NOT NULL
)
SELECT r.analyzedimagename AS image, r.alltags AS tags, n.name, n.severity, n.featurename AS package,
  n.featureversion AS version, n.fixedby, r.assessedat
FROM recent r
CROSS JOIN UNNEST(r.new) AS n (name, featurename, featureversion, severity, status, fixedby, location)
ORDER BY r.assessedat DESC, image, n.name
