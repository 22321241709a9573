-- The table of reports for Athena, where terraform does not make it. Written by `cargo xtask lake` from
-- docs/report-schema/report-1.0.schema.json. Put your bucket for BUCKET.
CREATE EXTERNAL TABLE reports (
  `schemaversion` string,
  `reportid` string,
  `previousreportid` string,
  `assessedat` string,
  `analyzedimagename` string,
  `imagedigest` string,
  `layercount` bigint,
  `ecrmetadata` struct<imageid:struct<imagedigest:string>,manifest:struct<config:struct<digest:string>>,repositoryname:string,registryid:string>,
  `registry` struct<name:string,region:string>,
  `platform` string,
  `tags` array<string>,
  `parentindexes` array<struct<digest:string,tags:array<string>>>,
  `verdict` string,
  `completeness` struct<level:string,reasons:array<struct<code:string,detail:string>>>,
  `packagekinds` array<string>,
  `sbomdigest` string,
  `scanner` struct<name:string,version:string>,
  `knowledge` struct<id:string,generation:bigint,lastchanged:array<struct<ecosystem:string,at:string>>>,
  `vulnerabilities` struct<critical:array<struct<name:string,namespacename:string,description:string,link:string,severity:string,severitysource:string,status:string,featurename:string,featureversion:string,featurearchitecture:string,featurekind:string,sourcename:string,fixedby:string,location:string,layer:string,aliases:array<string>,records:array<string>,cvss:array<string>,epss:double,knownexploited:boolean>>,high:array<struct<name:string,namespacename:string,description:string,link:string,severity:string,severitysource:string,status:string,featurename:string,featureversion:string,featurearchitecture:string,featurekind:string,sourcename:string,fixedby:string,location:string,layer:string,aliases:array<string>,records:array<string>,cvss:array<string>,epss:double,knownexploited:boolean>>,medium:array<struct<name:string,namespacename:string,description:string,link:string,severity:string,severitysource:string,status:string,featurename:string,featureversion:string,featurearchitecture:string,featurekind:string,sourcename:string,fixedby:string,location:string,layer:string,aliases:array<string>,records:array<string>,cvss:array<string>,epss:double,knownexploited:boolean>>,low:array<struct<name:string,namespacename:string,description:string,link:string,severity:string,severitysource:string,status:string,featurename:string,featureversion:string,featurearchitecture:string,featurekind:string,sourcename:string,fixedby:string,location:string,layer:string,aliases:array<string>,records:array<string>,cvss:array<string>,epss:double,knownexploited:boolean>>,negligible:array<struct<name:string,namespacename:string,description:string,link:string,severity:string,severitysource:string,status:string,featurename:string,featureversion:string,featurearchitecture:string,featurekind:string,sourcename:string,fixedby:string,location:string,layer:string,aliases:array<string>,records:array<string>,cvss:array<string>,epss:double,knownexploited:boolean>>,unknown:array<struct<name:string,namespacename:string,description:string,link:string,severity:string,severitysource:string,status:string,featurename:string,featureversion:string,featurearchitecture:string,featurekind:string,sourcename:string,fixedby:string,location:string,layer:string,aliases:array<string>,records:array<string>,cvss:array<string>,epss:double,knownexploited:boolean>>>,
  `new` array<struct<name:string,featurename:string,featureversion:string,severity:string,status:string,fixedby:string,location:string>>,
  `gone` array<struct<name:string,featurename:string,featureversion:string,severity:string,status:string,fixedby:string,location:string>>
)
PARTITIONED BY (`year` string, `month` string, `day` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('case.insensitive' = 'true')
STORED AS TEXTFILE
LOCATION 's3://BUCKET/';

-- Either Athena works the partitions out, and nothing is ever added:
ALTER TABLE reports SET TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.year.type' = 'integer',
  'projection.year.range' = '2025,2040',
  'projection.year.digits' = '4',
  'projection.month.type' = 'integer',
  'projection.month.range' = '1,12',
  'projection.month.digits' = '2',
  'projection.day.type' = 'integer',
  'projection.day.range' = '1,31',
  'projection.day.digits' = '2',
  'storage.location.template' = 's3://BUCKET/year=${year}/month=${month}/day=${day}/'
);

-- Or, without those properties, each day is added by hand:
ALTER TABLE reports ADD IF NOT EXISTS PARTITION (`year` = '2026', `month` = '03', `day` = '01')
  LOCATION 's3://BUCKET/year=2026/month=03/day=01/';
