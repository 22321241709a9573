-- Images whose latest report is older than 30 days
SELECT analyzedimagename, max(assessedat) AS assessedat, max_by(verdict, assessedat) AS verdict
FROM reports
GROUP BY analyzedimagename
HAVING from_iso8601_timestamp(max(assessedat)) < current_timestamp - INTERVAL '30' DAY
ORDER BY assessedat
