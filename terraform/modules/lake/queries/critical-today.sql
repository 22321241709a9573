-- Images with a critical finding, in today's reports
SELECT analyzedimagename, tags, cardinality(vulnerabilities.critical) AS critical, assessedat
FROM reports
WHERE year = date_format(current_date, '%Y')
  AND month = date_format(current_date, '%m')
  AND day = date_format(current_date, '%d')
  AND cardinality(vulnerabilities.critical) > 0
ORDER BY critical DESC, analyzedimagename
