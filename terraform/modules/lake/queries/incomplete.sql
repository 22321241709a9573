-- Images that were not looked at completely, and why, in the reports of the last 7 days
SELECT r.analyzedimagename, r.verdict, r.completeness.level AS level, c.code, c.detail, r.assessedat
FROM reports r
CROSS JOIN UNNEST(r.completeness.reasons) AS c (code, detail)
WHERE concat(r.year, r.month, r.day) >= date_format(current_date - INTERVAL '7' DAY, '%Y%m%d')
ORDER BY r.analyzedimagename, c.code
