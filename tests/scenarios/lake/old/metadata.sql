SELECT analyzedimagename, ecrmetadata.imageid.imagedigest, ecrmetadata.manifest.config.digest, ecrmetadata.repositoryname,
  ecrmetadata.registryid
FROM reports
WHERE year = '2026' AND month = '01' AND day = '20'
