-- The reports in a folder as a view for DuckDB. Written by `cargo xtask lake` from
-- docs/report-schema/report-1.0.schema.json. Put your folder for FOLDER.
CREATE OR REPLACE VIEW reports AS
SELECT * FROM read_json(
  'FOLDER/year=*/month=*/day=*/*.json',
  format = 'newline_delimited',
  maximum_object_size = 268435456,
  hive_partitioning = true,
  hive_types_autocast = false,
  columns = {
    "SchemaVersion": 'VARCHAR',
    "ReportId": 'VARCHAR',
    "PreviousReportId": 'VARCHAR',
    "AssessedAt": 'VARCHAR',
    "AnalyzedImageName": 'VARCHAR',
    "ImageDigest": 'VARCHAR',
    "LayerCount": 'BIGINT',
    "ECRMetadata": 'STRUCT("imageId" STRUCT("imageDigest" VARCHAR), "manifest" STRUCT("config" STRUCT("digest" VARCHAR)), "repositoryName" VARCHAR, "registryId" VARCHAR)',
    "Registry": 'STRUCT("Name" VARCHAR, "Region" VARCHAR)',
    "Platform": 'VARCHAR',
    "Tags": 'VARCHAR[]',
    "ParentIndexes": 'STRUCT("Digest" VARCHAR, "Tags" VARCHAR[])[]',
    "Verdict": 'VARCHAR',
    "Completeness": 'STRUCT("Level" VARCHAR, "Reasons" STRUCT("Code" VARCHAR, "Detail" VARCHAR)[])',
    "PackageKinds": 'VARCHAR[]',
    "SbomDigest": 'VARCHAR',
    "Scanner": 'STRUCT("Name" VARCHAR, "Version" VARCHAR)',
    "Knowledge": 'STRUCT("Id" VARCHAR, "Generation" BIGINT, "LastChanged" STRUCT("Ecosystem" VARCHAR, "At" VARCHAR)[])',
    "Vulnerabilities": 'STRUCT("Critical" STRUCT("Name" VARCHAR, "NamespaceName" VARCHAR, "Description" VARCHAR, "Link" VARCHAR, "Severity" VARCHAR, "SeveritySource" VARCHAR, "Status" VARCHAR, "FeatureName" VARCHAR, "FeatureVersion" VARCHAR, "FeatureArchitecture" VARCHAR, "FeatureKind" VARCHAR, "SourceName" VARCHAR, "FixedBy" VARCHAR, "Location" VARCHAR, "Layer" VARCHAR, "Aliases" VARCHAR[], "Records" VARCHAR[], "Cvss" VARCHAR[], "Epss" DOUBLE, "KnownExploited" BOOLEAN)[], "High" STRUCT("Name" VARCHAR, "NamespaceName" VARCHAR, "Description" VARCHAR, "Link" VARCHAR, "Severity" VARCHAR, "SeveritySource" VARCHAR, "Status" VARCHAR, "FeatureName" VARCHAR, "FeatureVersion" VARCHAR, "FeatureArchitecture" VARCHAR, "FeatureKind" VARCHAR, "SourceName" VARCHAR, "FixedBy" VARCHAR, "Location" VARCHAR, "Layer" VARCHAR, "Aliases" VARCHAR[], "Records" VARCHAR[], "Cvss" VARCHAR[], "Epss" DOUBLE, "KnownExploited" BOOLEAN)[], "Medium" STRUCT("Name" VARCHAR, "NamespaceName" VARCHAR, "Description" VARCHAR, "Link" VARCHAR, "Severity" VARCHAR, "SeveritySource" VARCHAR, "Status" VARCHAR, "FeatureName" VARCHAR, "FeatureVersion" VARCHAR, "FeatureArchitecture" VARCHAR, "FeatureKind" VARCHAR, "SourceName" VARCHAR, "FixedBy" VARCHAR, "Location" VARCHAR, "Layer" VARCHAR, "Aliases" VARCHAR[], "Records" VARCHAR[], "Cvss" VARCHAR[], "Epss" DOUBLE, "KnownExploited" BOOLEAN)[], "Low" STRUCT("Name" VARCHAR, "NamespaceName" VARCHAR, "Description" VARCHAR, "Link" VARCHAR, "Severity" VARCHAR, "SeveritySource" VARCHAR, "Status" VARCHAR, "FeatureName" VARCHAR, "FeatureVersion" VARCHAR, "FeatureArchitecture" VARCHAR, "FeatureKind" VARCHAR, "SourceName" VARCHAR, "FixedBy" VARCHAR, "Location" VARCHAR, "Layer" VARCHAR, "Aliases" VARCHAR[], "Records" VARCHAR[], "Cvss" VARCHAR[], "Epss" DOUBLE, "KnownExploited" BOOLEAN)[], "Negligible" STRUCT("Name" VARCHAR, "NamespaceName" VARCHAR, "Description" VARCHAR, "Link" VARCHAR, "Severity" VARCHAR, "SeveritySource" VARCHAR, "Status" VARCHAR, "FeatureName" VARCHAR, "FeatureVersion" VARCHAR, "FeatureArchitecture" VARCHAR, "FeatureKind" VARCHAR, "SourceName" VARCHAR, "FixedBy" VARCHAR, "Location" VARCHAR, "Layer" VARCHAR, "Aliases" VARCHAR[], "Records" VARCHAR[], "Cvss" VARCHAR[], "Epss" DOUBLE, "KnownExploited" BOOLEAN)[], "Unknown" STRUCT("Name" VARCHAR, "NamespaceName" VARCHAR, "Description" VARCHAR, "Link" VARCHAR, "Severity" VARCHAR, "SeveritySource" VARCHAR, "Status" VARCHAR, "FeatureName" VARCHAR, "FeatureVersion" VARCHAR, "FeatureArchitecture" VARCHAR, "FeatureKind" VARCHAR, "SourceName" VARCHAR, "FixedBy" VARCHAR, "Location" VARCHAR, "Layer" VARCHAR, "Aliases" VARCHAR[], "Records" VARCHAR[], "Cvss" VARCHAR[], "Epss" DOUBLE, "KnownExploited" BOOLEAN)[])',
    "New": 'STRUCT("Name" VARCHAR, "FeatureName" VARCHAR, "FeatureVersion" VARCHAR, "Severity" VARCHAR, "Status" VARCHAR, "FixedBy" VARCHAR, "Location" VARCHAR)[]',
    "Gone": 'STRUCT("Name" VARCHAR, "FeatureName" VARCHAR, "FeatureVersion" VARCHAR, "Severity" VARCHAR, "Status" VARCHAR, "FixedBy" VARCHAR, "Location" VARCHAR)[]'
  }
);
