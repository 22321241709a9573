SELECT analyzedimagename, cardinality(vulnerabilities.high) AS high
FROM reports
WHERE year = '2026' AND month = '03' AND day = '01' AND cardinality(vulnerabilities.high) > 0
