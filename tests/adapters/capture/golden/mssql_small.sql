-- fig adapter install orders: fig.toml: legacy.orders
-- For SQL Server 2019 or newer. Not run here by anybody: review it, try it on a copy.
-- With any trigger on the table, OUTPUT without INTO is an error there (334): look whether
-- legacy's statements have such. SQLAlchemy's need implicit_returning=False on the table.
-- Not captured: TRUNCATE, BULK INSERT without FIRE_TRIGGERS, SWITCH of partitions.
-- What cannot be caught, and fails legacy's write: other columns of fig_event than here.
-- Change that table only while the triggers are disabled.

SET ANSI_NULLS, QUOTED_IDENTIFIER ON;
GO

CREATE SEQUENCE [dbo].[fig_event_id] AS BIGINT START WITH 1 CACHE 1000;
GO

CREATE SEQUENCE [dbo].[fig_gap_id] AS BIGINT START WITH 1 CACHE 1000;
GO

CREATE TABLE dbo.fig_event (
	id BIGINT NOT NULL DEFAULT NEXT VALUE FOR [dbo].[fig_event_id],
	event_id NVARCHAR(36) NOT NULL,
	source NVARCHAR(63) NOT NULL,
	[key] NVARCHAR(600) NOT NULL,
	op NVARCHAR(12) NOT NULL,
	before NVARCHAR(max) NULL,
	after NVARCHAR(max) NULL,
	schema_hash NVARCHAR(16) NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	priority SMALLINT NOT NULL DEFAULT 0,
	attempts INTEGER NOT NULL DEFAULT 0,
	lost INTEGER NOT NULL DEFAULT 0,
	next_at DOUBLE PRECISION NOT NULL DEFAULT 0,
	parked SMALLINT NOT NULL DEFAULT 0,
	lease_token NVARCHAR(255) NULL,
	lease_until DOUBLE PRECISION NULL,
	done_at DOUBLE PRECISION NULL,
	dead_reason NVARCHAR(max) NULL,
	CONSTRAINT pk_fig_event PRIMARY KEY (id),
	CONSTRAINT fig_event_leased CHECK ((lease_token IS NULL AND lease_until IS NULL)
 OR (lease_token IS NOT NULL AND lease_until IS NOT NULL))
);
ALTER TABLE [dbo].[fig_event] SET (LOCK_ESCALATION = DISABLE);
GO

CREATE TABLE dbo.fig_gap (
	id BIGINT NOT NULL DEFAULT NEXT VALUE FOR [dbo].[fig_gap_id],
	source NVARCHAR(63) NOT NULL,
	op NVARCHAR(12) NOT NULL,
	[key] NVARCHAR(600) NULL,
	reason NVARCHAR(max) NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_fig_gap PRIMARY KEY (id)
);
ALTER TABLE [dbo].[fig_gap] SET (LOCK_ESCALATION = DISABLE);
GO

CREATE TABLE dbo.fig_large (
	ref NVARCHAR(36) NOT NULL,
	source NVARCHAR(63) NOT NULL,
	bytes BIGINT NOT NULL,
	kind NVARCHAR(1) NOT NULL,
	value VARBINARY(max) NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_fig_large PRIMARY KEY (ref)
);
ALTER TABLE [dbo].[fig_large] SET (LOCK_ESCALATION = DISABLE);
GO

CREATE INDEX [fig_event_waiting] ON [dbo].[fig_event] ([source], [done_at], [priority], [id]);
GO

CREATE INDEX [fig_event_keys] ON [dbo].[fig_event] ([source], [key], [done_at], [parked], [id]);
GO

CREATE TRIGGER [dbo].[fig_ORDERS_insert] ON [dbo].[ORDERS] AFTER INSERT AS
BEGIN
  SET NOCOUNT ON;
  SET XACT_ABORT OFF;
  IF NOT EXISTS (SELECT 1 FROM inserted) RETURN;
  BEGIN TRY
    IF OBJECT_ID(N'[dbo].[fig_event]', N'U') IS NULL
      THROW 50000, N'fig_event is not there', 1;
    INSERT INTO [dbo].[fig_event]
      ([id], [source], [event_id], [key], [op], [before], [after], [schema_hash], [created_at])
    SELECT NEXT VALUE FOR [dbo].[fig_event_id] OVER (ORDER BY [e].[op]), N'orders', [e].[event_id], [e].[key],
      [e].[op], [e].[before], [e].[after], N'5fb8f9f8a7e1d14d', DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM (
    SELECT LOWER(REPLACE(CONVERT(NVARCHAR(36), NEWID()), N'-', N'')) AS [event_id],
      ISNULL(LEFT(CONVERT(NVARCHAR(MAX), [new].[ID]), 600), N'') AS [key],
      N'insert' AS [op],
      NULL AS [before],
      CONCAT(CONVERT(NVARCHAR(MAX), N''),
        N'`ID`=i', CASE WHEN [new].[ID] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[ID]), N'''') END,
        N',`Name`=t', CASE WHEN [new].[Name] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[Name]), N'\', N'\\'), N'''', N'\'''), N'''') END) AS [after]
    FROM inserted AS [new]
    ) AS [e];
  END TRY
  BEGIN CATCH
    DECLARE @said NVARCHAR(1000) = LEFT(CONCAT(ERROR_NUMBER(), N' ', ERROR_MESSAGE()), 1000);
    BEGIN TRY
      IF XACT_STATE() = 1 AND OBJECT_ID(N'[dbo].[fig_gap]', N'U') IS NOT NULL
        INSERT INTO [dbo].[fig_gap] ([id], [source], [op], [key], [reason], [created_at])
        VALUES (NEXT VALUE FOR [dbo].[fig_gap_id], N'orders', N'insert', NULL, @said, DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6);
    END TRY
    BEGIN CATCH
      SET NOCOUNT ON;
    END CATCH
  END CATCH
END
GO

CREATE TRIGGER [dbo].[fig_ORDERS_update] ON [dbo].[ORDERS] AFTER UPDATE AS
BEGIN
  SET NOCOUNT ON;
  SET XACT_ABORT OFF;
  IF NOT EXISTS (SELECT 1 FROM inserted) RETURN;
  BEGIN TRY
    IF OBJECT_ID(N'[dbo].[fig_event]', N'U') IS NULL
      THROW 50000, N'fig_event is not there', 1;
    INSERT INTO [dbo].[fig_event]
      ([id], [source], [event_id], [key], [op], [before], [after], [schema_hash], [created_at])
    SELECT NEXT VALUE FOR [dbo].[fig_event_id] OVER (ORDER BY [e].[op]), N'orders', [e].[event_id], [e].[key],
      [e].[op], [e].[before], [e].[after], N'5fb8f9f8a7e1d14d', DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM (
    SELECT LOWER(REPLACE(CONVERT(NVARCHAR(36), NEWID()), N'-', N'')) AS [event_id],
      CASE WHEN [new].[fig] IS NULL THEN ISNULL(LEFT(CONVERT(NVARCHAR(MAX), [old].[ID]), 600), N'') ELSE ISNULL(LEFT(CONVERT(NVARCHAR(MAX), [new].[ID]), 600), N'') END AS [key],
      CASE WHEN [new].[fig] IS NULL THEN N'delete' WHEN [old].[fig] IS NULL THEN N'insert' ELSE N'update' END AS [op],
      CASE WHEN [old].[fig] IS NOT NULL THEN CONCAT(CONVERT(NVARCHAR(MAX), N''),
        N'`ID`=i', CASE WHEN [old].[ID] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[ID]), N'''') END,
        N',`Name`=t', CASE WHEN [old].[Name] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[Name]), N'\', N'\\'), N'''', N'\'''), N'''') END) END AS [before],
      CASE WHEN [new].[fig] IS NOT NULL THEN CONCAT(CONVERT(NVARCHAR(MAX), N''),
        N'`ID`=i', CASE WHEN [new].[ID] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[ID]), N'''') END,
        N',`Name`=t', CASE WHEN [new].[Name] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[Name]), N'\', N'\\'), N'''', N'\'''), N'''') END) END AS [after]
    FROM (SELECT 1 AS [fig], [ID], [Name] FROM inserted) AS [new]
    FULL OUTER JOIN (SELECT 1 AS [fig], [ID], [Name] FROM deleted) AS [old] ON [new].[ID] = [old].[ID]
    ) AS [e];
  END TRY
  BEGIN CATCH
    DECLARE @said NVARCHAR(1000) = LEFT(CONCAT(ERROR_NUMBER(), N' ', ERROR_MESSAGE()), 1000);
    BEGIN TRY
      IF XACT_STATE() = 1 AND OBJECT_ID(N'[dbo].[fig_gap]', N'U') IS NOT NULL
        INSERT INTO [dbo].[fig_gap] ([id], [source], [op], [key], [reason], [created_at])
        VALUES (NEXT VALUE FOR [dbo].[fig_gap_id], N'orders', N'update', NULL, @said, DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6);
    END TRY
    BEGIN CATCH
      SET NOCOUNT ON;
    END CATCH
  END CATCH
END
GO

CREATE TRIGGER [dbo].[fig_ORDERS_delete] ON [dbo].[ORDERS] AFTER DELETE AS
BEGIN
  SET NOCOUNT ON;
  SET XACT_ABORT OFF;
  IF NOT EXISTS (SELECT 1 FROM deleted) RETURN;
  BEGIN TRY
    IF OBJECT_ID(N'[dbo].[fig_event]', N'U') IS NULL
      THROW 50000, N'fig_event is not there', 1;
    INSERT INTO [dbo].[fig_event]
      ([id], [source], [event_id], [key], [op], [before], [after], [schema_hash], [created_at])
    SELECT NEXT VALUE FOR [dbo].[fig_event_id] OVER (ORDER BY [e].[op]), N'orders', [e].[event_id], [e].[key],
      [e].[op], [e].[before], [e].[after], N'5fb8f9f8a7e1d14d', DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM (
    SELECT LOWER(REPLACE(CONVERT(NVARCHAR(36), NEWID()), N'-', N'')) AS [event_id],
      ISNULL(LEFT(CONVERT(NVARCHAR(MAX), [old].[ID]), 600), N'') AS [key],
      N'delete' AS [op],
      CONCAT(CONVERT(NVARCHAR(MAX), N''),
        N'`ID`=i', CASE WHEN [old].[ID] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[ID]), N'''') END,
        N',`Name`=t', CASE WHEN [old].[Name] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[Name]), N'\', N'\\'), N'''', N'\'''), N'''') END) AS [before],
      NULL AS [after]
    FROM deleted AS [old]
    ) AS [e];
  END TRY
  BEGIN CATCH
    DECLARE @said NVARCHAR(1000) = LEFT(CONCAT(ERROR_NUMBER(), N' ', ERROR_MESSAGE()), 1000);
    BEGIN TRY
      IF XACT_STATE() = 1 AND OBJECT_ID(N'[dbo].[fig_gap]', N'U') IS NOT NULL
        INSERT INTO [dbo].[fig_gap] ([id], [source], [op], [key], [reason], [created_at])
        VALUES (NEXT VALUE FOR [dbo].[fig_gap_id], N'orders', N'delete', NULL, @said, DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6);
    END TRY
    BEGIN CATCH
      SET NOCOUNT ON;
    END CATCH
  END CATCH
END
GO


-- To take it out:
-- fig adapter remove orders: fig.toml: legacy.orders
-- For SQL Server 2019 or newer. Not run here by anybody: review it, try it on a copy.
-- With any trigger on the table, OUTPUT without INTO is an error there (334): look whether
-- legacy's statements have such. SQLAlchemy's need implicit_returning=False on the table.
-- Not captured: TRUNCATE, BULK INSERT without FIRE_TRIGGERS, SWITCH of partitions.
-- What cannot be caught, and fails legacy's write: other columns of fig_event than here.
-- Change that table only while the triggers are disabled.

SET ANSI_NULLS, QUOTED_IDENTIFIER ON;
GO

DROP TRIGGER IF EXISTS [dbo].[fig_ORDERS_delete];
GO

DROP TRIGGER IF EXISTS [dbo].[fig_ORDERS_update];
GO

DROP TRIGGER IF EXISTS [dbo].[fig_ORDERS_insert];
GO

DROP INDEX IF EXISTS [fig_event_keys] ON [dbo].[fig_event];
GO

DROP INDEX IF EXISTS [fig_event_waiting] ON [dbo].[fig_event];
GO

DROP TABLE IF EXISTS [dbo].[fig_large];
GO

DROP TABLE IF EXISTS [dbo].[fig_gap];
GO

DROP TABLE IF EXISTS [dbo].[fig_event];
GO

DROP SEQUENCE IF EXISTS [dbo].[fig_gap_id];
GO

DROP SEQUENCE IF EXISTS [dbo].[fig_event_id];
GO

