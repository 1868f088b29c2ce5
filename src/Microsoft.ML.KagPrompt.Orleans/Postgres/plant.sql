-- What Orleans asks its database (its stored queries, found by name in OrleansQuery), on tables of this library's own.
-- Each query is one statement: PostgreSQL does it whole or not at all, and of two at once the second sees the first's version.
-- Run in a schema of its own; running it again changes nothing but the queries' text.

CREATE TABLE IF NOT EXISTS OrleansQuery
(
    QueryKey varchar(64) PRIMARY KEY,
    QueryText text NOT NULL
);

CREATE TABLE IF NOT EXISTS cluster
(
    deployment text PRIMARY KEY,
    version integer NOT NULL DEFAULT 0,
    changed timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS silo
(
    deployment text NOT NULL REFERENCES cluster,
    address text NOT NULL,
    port integer NOT NULL,
    generation integer NOT NULL,
    name text NOT NULL,
    host text NOT NULL,
    status integer NOT NULL,
    gateway integer,
    suspicions text,
    started timestamptz NOT NULL,
    alive timestamptz NOT NULL,
    PRIMARY KEY (deployment, address, port, generation)
);

CREATE TABLE IF NOT EXISTS grain
(
    service text NOT NULL,
    kind text NOT NULL,
    n0 bigint NOT NULL,
    n1 bigint NOT NULL,
    -- Empty where the grain's key has no text.
    extension text NOT NULL,
    payload bytea,
    version integer NOT NULL,
    changed timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (service, kind, n0, n1, extension)
);

INSERT INTO OrleansQuery VALUES
('InsertMembershipVersionKey', $q$
    WITH added AS (INSERT INTO cluster (deployment) VALUES (@DeploymentId) ON CONFLICT DO NOTHING RETURNING 1)
    SELECT count(*)::int FROM added
$q$),
('InsertMembershipKey', $q$
    WITH stepped AS
    (
        UPDATE cluster SET version = version + 1, changed = now()
        WHERE deployment = @DeploymentId AND version = @Version AND NOT EXISTS
        (
            SELECT 1 FROM silo WHERE deployment = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
        )
        RETURNING deployment
    ),
    added AS
    (
        INSERT INTO silo (deployment, address, port, generation, name, host, status, gateway, started, alive)
        SELECT deployment, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime FROM stepped
        RETURNING 1
    )
    SELECT count(*)::int FROM added
$q$),
('UpdateMembershipKey', $q$
    WITH stepped AS
    (
        UPDATE cluster SET version = version + 1, changed = now()
        WHERE deployment = @DeploymentId AND version = @Version AND EXISTS
        (
            SELECT 1 FROM silo WHERE deployment = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
        )
        RETURNING deployment
    ),
    changed AS
    (
        UPDATE silo SET status = @Status, suspicions = @SuspectTimes, alive = @IAmAliveTime FROM stepped
        WHERE silo.deployment = stepped.deployment AND address = @Address AND port = @Port AND generation = @Generation
        RETURNING 1
    )
    SELECT count(*)::int FROM changed
$q$),
('UpdateIAmAlivetimeKey', $q$
    UPDATE silo SET alive = @IAmAliveTime
    WHERE deployment = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
$q$),
('MembershipReadRowKey', $q$
    SELECT c.version AS Version, s.address AS Address, s.port AS Port, s.generation AS Generation, s.name AS SiloName,
        s.host AS HostName, s.status AS Status, s.gateway AS ProxyPort, s.suspicions AS SuspectTimes, s.started AS StartTime,
        s.alive AS IAmAliveTime
    FROM cluster c LEFT JOIN silo s
        ON s.deployment = c.deployment AND s.address = @Address AND s.port = @Port AND s.generation = @Generation
    WHERE c.deployment = @DeploymentId
$q$),
('MembershipReadAllKey', $q$
    SELECT c.version AS Version, s.address AS Address, s.port AS Port, s.generation AS Generation, s.name AS SiloName,
        s.host AS HostName, s.status AS Status, s.gateway AS ProxyPort, s.suspicions AS SuspectTimes, s.started AS StartTime,
        s.alive AS IAmAliveTime
    FROM cluster c LEFT JOIN silo s ON s.deployment = c.deployment
    WHERE c.deployment = @DeploymentId
$q$),
('DeleteMembershipTableEntriesKey', $q$
    WITH gone AS (DELETE FROM silo WHERE deployment = @DeploymentId)
    UPDATE cluster SET version = version + 1, changed = now() WHERE deployment = @DeploymentId
$q$),
('GatewaysQueryKey', $q$
    SELECT address AS Address, gateway AS ProxyPort, generation AS Generation
    FROM silo WHERE deployment = @DeploymentId AND status = @Status AND gateway > 0
$q$),
-- 6: dead. One that may still live is never taken away.
('CleanupDefunctSiloEntriesKey', $q$
    DELETE FROM silo WHERE deployment = @DeploymentId AND status = 6 AND alive < @IAmAliveTime AND started < @IAmAliveTime
$q$),
('CleanupDefunctSiloEntryKey', $q$
    DELETE FROM silo
    WHERE deployment = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation AND status = 6
        AND alive = @IAmAliveTime AND started = @StartTime AND suspicions IS NOT DISTINCT FROM @SuspectTimes
$q$),
('ReadFromStorageKey', $q$
    SELECT payload AS PayloadBinary, NULL::text AS PayloadXml, NULL::text AS PayloadJson, now() AS ReadAt, version AS Version
    FROM grain
    WHERE service = @ServiceId AND kind = @GrainTypeString AND n0 = @GrainIdN0 AND n1 = @GrainIdN1
        AND extension = coalesce(@GrainIdExtensionString, '')
$q$),
-- Where the version is another, what was given comes back: by that Orleans knows that nothing was written.
('WriteToStorageKey', $q$
    WITH written AS
    (
        UPDATE grain SET payload = @PayloadBinary, version = version + 1, changed = now()
        WHERE service = @ServiceId AND kind = @GrainTypeString AND n0 = @GrainIdN0 AND n1 = @GrainIdN1
            AND extension = coalesce(@GrainIdExtensionString, '') AND version = CAST(@GrainStateVersion AS integer)
        RETURNING version
    ),
    added AS
    (
        INSERT INTO grain (service, kind, n0, n1, extension, payload, version)
        SELECT @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, coalesce(@GrainIdExtensionString, ''), @PayloadBinary, 1
        WHERE CAST(@GrainStateVersion AS integer) IS NULL
        ON CONFLICT DO NOTHING
        RETURNING version
    )
    SELECT coalesce((SELECT version FROM written), (SELECT version FROM added), CAST(@GrainStateVersion AS integer))
        AS NewGrainStateVersion
$q$),
('ClearStorageKey', $q$
    UPDATE grain SET payload = NULL, version = version + 1, changed = now()
    WHERE service = @ServiceId AND kind = @GrainTypeString AND n0 = @GrainIdN0 AND n1 = @GrainIdN1
        AND extension = coalesce(@GrainIdExtensionString, '') AND version = CAST(@GrainStateVersion AS integer)
    RETURNING version AS NewGrainStateVersion
$q$),
('DeleteStorageKey', $q$
    DELETE FROM grain
    WHERE service = @ServiceId AND kind = @GrainTypeString AND n0 = @GrainIdN0 AND n1 = @GrainIdN1
        AND extension = coalesce(@GrainIdExtensionString, '') AND version = CAST(@GrainStateVersion AS integer)
    RETURNING version AS NewGrainStateVersion
$q$)
ON CONFLICT (QueryKey) DO UPDATE SET QueryText = EXCLUDED.QueryText;
