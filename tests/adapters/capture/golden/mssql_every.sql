-- fig adapter install it's orders: fig.toml: legacy.orders
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

CREATE TRIGGER [sales].[fig_Order Lines_insert] ON [sales].[Order Lines] AFTER INSERT AS
BEGIN
  SET NOCOUNT ON;
  SET XACT_ABORT OFF;
  IF NOT EXISTS (SELECT 1 FROM inserted) RETURN;
  BEGIN TRY
    IF OBJECT_ID(N'[dbo].[fig_event]', N'U') IS NULL
      THROW 50000, N'fig_event is not there', 1;
    DECLARE @rows TABLE ([event_id] NVARCHAR(36), [key] NVARCHAR(600), [op] NVARCHAR(12),
      [before] NVARCHAR(MAX), [after] NVARCHAR(MAX), [large19] VARBINARY(MAX), [large20] VARBINARY(MAX), [large21] VARBINARY(MAX), [large23] VARBINARY(MAX));
    INSERT INTO @rows
    SELECT LOWER(REPLACE(CONVERT(NVARCHAR(36), NEWID()), N'-', N'')) AS [event_id],
      LEFT(CONCAT(CASE WHEN [new].[ID] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[ID]), N'''') END, N,, CASE WHEN [new].[part] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[part]), N'\', N'\\'), N'''', N'\'''), N'''') END), 600) AS [key],
      N'insert' AS [op],
      NULL AS [before],
      CONCAT(CONVERT(NVARCHAR(MAX), N''),
        N'`ID`=i', CASE WHEN [new].[ID] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[ID]), N'''') END,
        N',`part`=t', CASE WHEN [new].[part] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[part]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`on`=i', CASE WHEN [new].[on] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[on]), N'''') END,
        N',`big`=i', CASE WHEN [new].[big] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[big]), N'''') END,
        N',`price`=o', CASE WHEN [new].[price] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[price]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`paid`=o', CASE WHEN [new].[paid] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[paid], 2), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`rate`=r', CASE WHEN [new].[rate] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[rate], 3), N'''') END,
        N',`share`=f', CASE WHEN [new].[share] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), CONVERT(FLOAT, [new].[share]), 3), N'''') END,
        N',`day`=o', CASE WHEN [new].[day] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[day], 23), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`at`=o', CASE WHEN [new].[at] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[at], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`old at`=o', CASE WHEN [new].[old at] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[old at], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`seen`=o', CASE WHEN [new].[seen] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[seen], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`zoned`=o', CASE WHEN [new].[zoned] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[zoned], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`code`=t', CASE WHEN [new].[code] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[code]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`Größe`=t', CASE WHEN [new].[Größe] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[Größe]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`it''s`=t', CASE WHEN [new].[it's] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[it's]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`guid`=o', CASE WHEN [new].[guid] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[guid]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`raw`=b', CASE WHEN [new].[raw] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[raw], 2), N'''') END,
        N',`version`=b', CASE WHEN [new].[version] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), CONVERT(VARBINARY(8), [new].[version]), 2), N'''') END,
        N',`x]y`=o', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[x]]y]) COLLATE Latin1_General_100_BIN2_UTF8))) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[x]]y]) COLLATE Latin1_General_100_BIN2_UTF8)))) ELSE CASE WHEN [new].[x]]y] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[x]]y]), N'\', N'\\'), N'''', N'\'''), N'''') END END,
        N',`doc`=t', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[doc]) COLLATE Latin1_General_100_BIN2_UTF8))) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[doc]) COLLATE Latin1_General_100_BIN2_UTF8)))) ELSE CASE WHEN [new].[doc] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[doc]), N'\', N'\\'), N'''', N'\'''), N'''') END END,
        N',`pic`=b', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), [new].[pic])) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), [new].[pic]))) ELSE CASE WHEN [new].[pic] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[pic], 2), N'''') END END,
        N',`tree`=o', CASE WHEN [new].[tree] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[tree].ToString()), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`place`=b', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), [new].[place])) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), [new].[place]))) ELSE CASE WHEN [new].[place] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), CONVERT(VARBINARY(MAX), [new].[place]), 2), N'''') END END,
        N',`any`=o', CASE WHEN [new].[any] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[any], 121), N'\', N'\\'), N'''', N'\'''), N'''') END) AS [after],
      CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[x]]y]) COLLATE Latin1_General_100_BIN2_UTF8))) > 65536 THEN CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[x]]y]) COLLATE Latin1_General_100_BIN2_UTF8)) END AS [large19],
      CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[doc]) COLLATE Latin1_General_100_BIN2_UTF8))) > 65536 THEN CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[doc]) COLLATE Latin1_General_100_BIN2_UTF8)) END AS [large20],
      CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), [new].[pic])) > 65536 THEN CONVERT(VARBINARY(MAX), [new].[pic]) END AS [large21],
      CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), [new].[place])) > 65536 THEN CONVERT(VARBINARY(MAX), [new].[place]) END AS [large23]
    FROM inserted AS [new]
    WHERE (NOT (((NULL) IS NULL AND ([new].[status]) IS NULL) OR (NOT (NULL) IS NULL AND NOT ([new].[status]) IS NULL AND (NULL) = ([new].[status]))));
    INSERT INTO [dbo].[fig_large] ([ref], [source], [bytes], [kind], [value], [created_at])
    SELECT CONCAT([e].[event_id], N'-19'), N'it''s orders', DATALENGTH([e].[large19]), N'o',
      [e].[large19], DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e] WHERE [e].[large19] IS NOT NULL;
    INSERT INTO [dbo].[fig_large] ([ref], [source], [bytes], [kind], [value], [created_at])
    SELECT CONCAT([e].[event_id], N'-20'), N'it''s orders', DATALENGTH([e].[large20]), N't',
      [e].[large20], DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e] WHERE [e].[large20] IS NOT NULL;
    INSERT INTO [dbo].[fig_large] ([ref], [source], [bytes], [kind], [value], [created_at])
    SELECT CONCAT([e].[event_id], N'-21'), N'it''s orders', DATALENGTH([e].[large21]), N'b',
      [e].[large21], DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e] WHERE [e].[large21] IS NOT NULL;
    INSERT INTO [dbo].[fig_large] ([ref], [source], [bytes], [kind], [value], [created_at])
    SELECT CONCAT([e].[event_id], N'-23'), N'it''s orders', DATALENGTH([e].[large23]), N'b',
      [e].[large23], DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e] WHERE [e].[large23] IS NOT NULL;
    INSERT INTO [dbo].[fig_event]
      ([id], [source], [event_id], [key], [op], [before], [after], [schema_hash], [created_at])
    SELECT NEXT VALUE FOR [dbo].[fig_event_id] OVER (ORDER BY [e].[op]), N'it''s orders', [e].[event_id], [e].[key],
      [e].[op], [e].[before], [e].[after], N'2ba3bc6e7f5f828a', DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e];
  END TRY
  BEGIN CATCH
    DECLARE @said NVARCHAR(1000) = LEFT(CONCAT(ERROR_NUMBER(), N' ', ERROR_MESSAGE()), 1000);
    BEGIN TRY
      IF XACT_STATE() = 1 AND OBJECT_ID(N'[dbo].[fig_gap]', N'U') IS NOT NULL
        INSERT INTO [dbo].[fig_gap] ([id], [source], [op], [key], [reason], [created_at])
        VALUES (NEXT VALUE FOR [dbo].[fig_gap_id], N'it''s orders', N'insert', NULL, @said, DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6);
    END TRY
    BEGIN CATCH
      SET NOCOUNT ON;
    END CATCH
  END CATCH
END
GO

CREATE TRIGGER [sales].[fig_Order Lines_update] ON [sales].[Order Lines] AFTER UPDATE AS
BEGIN
  SET NOCOUNT ON;
  SET XACT_ABORT OFF;
  IF NOT EXISTS (SELECT 1 FROM inserted) RETURN;
  BEGIN TRY
    IF OBJECT_ID(N'[dbo].[fig_event]', N'U') IS NULL
      THROW 50000, N'fig_event is not there', 1;
    DECLARE @rows TABLE ([event_id] NVARCHAR(36), [key] NVARCHAR(600), [op] NVARCHAR(12),
      [before] NVARCHAR(MAX), [after] NVARCHAR(MAX), [large19] VARBINARY(MAX), [large20] VARBINARY(MAX), [large21] VARBINARY(MAX), [large23] VARBINARY(MAX));
    INSERT INTO @rows
    SELECT LOWER(REPLACE(CONVERT(NVARCHAR(36), NEWID()), N'-', N'')) AS [event_id],
      CASE WHEN [new].[fig] IS NULL THEN LEFT(CONCAT(CASE WHEN [old].[ID] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[ID]), N'''') END, N,, CASE WHEN [old].[part] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[part]), N'\', N'\\'), N'''', N'\'''), N'''') END), 600) ELSE LEFT(CONCAT(CASE WHEN [new].[ID] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[ID]), N'''') END, N,, CASE WHEN [new].[part] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[part]), N'\', N'\\'), N'''', N'\'''), N'''') END), 600) END AS [key],
      CASE WHEN [new].[fig] IS NULL THEN N'delete' WHEN [old].[fig] IS NULL THEN N'insert' ELSE N'update' END AS [op],
      CASE WHEN [old].[fig] IS NOT NULL THEN CONCAT(CONVERT(NVARCHAR(MAX), N''),
        N'`ID`=i', CASE WHEN [old].[ID] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[ID]), N'''') END,
        N',`part`=t', CASE WHEN [old].[part] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[part]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`on`=i', CASE WHEN [old].[on] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[on]), N'''') END,
        N',`big`=i', CASE WHEN [old].[big] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[big]), N'''') END,
        N',`price`=o', CASE WHEN [old].[price] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[price]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`paid`=o', CASE WHEN [old].[paid] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[paid], 2), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`rate`=r', CASE WHEN [old].[rate] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[rate], 3), N'''') END,
        N',`share`=f', CASE WHEN [old].[share] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), CONVERT(FLOAT, [old].[share]), 3), N'''') END,
        N',`day`=o', CASE WHEN [old].[day] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[day], 23), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`at`=o', CASE WHEN [old].[at] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[at], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`old at`=o', CASE WHEN [old].[old at] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[old at], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`seen`=o', CASE WHEN [old].[seen] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[seen], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`zoned`=o', CASE WHEN [old].[zoned] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[zoned], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`code`=t', CASE WHEN [old].[code] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[code]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`Größe`=t', CASE WHEN [old].[Größe] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[Größe]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`it''s`=t', CASE WHEN [old].[it's] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[it's]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`guid`=o', CASE WHEN [old].[guid] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[guid]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`raw`=b', CASE WHEN [old].[raw] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[raw], 2), N'''') END,
        N',`version`=b', CASE WHEN [old].[version] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), CONVERT(VARBINARY(8), [old].[version]), 2), N'''') END,
        N',`x]y`=o', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [old].[x]]y]) COLLATE Latin1_General_100_BIN2_UTF8))) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [old].[x]]y]) COLLATE Latin1_General_100_BIN2_UTF8)))) ELSE CASE WHEN [old].[x]]y] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[x]]y]), N'\', N'\\'), N'''', N'\'''), N'''') END END,
        N',`doc`=t', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [old].[doc]) COLLATE Latin1_General_100_BIN2_UTF8))) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [old].[doc]) COLLATE Latin1_General_100_BIN2_UTF8)))) ELSE CASE WHEN [old].[doc] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[doc]), N'\', N'\\'), N'''', N'\'''), N'''') END END,
        N',`pic`=b', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), [old].[pic])) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), [old].[pic]))) ELSE CASE WHEN [old].[pic] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[pic], 2), N'''') END END,
        N',`tree`=o', CASE WHEN [old].[tree] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[tree].ToString()), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`place`=b', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), [old].[place])) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), [old].[place]))) ELSE CASE WHEN [old].[place] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), CONVERT(VARBINARY(MAX), [old].[place]), 2), N'''') END END,
        N',`any`=o', CASE WHEN [old].[any] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[any], 121), N'\', N'\\'), N'''', N'\'''), N'''') END) END AS [before],
      CASE WHEN [new].[fig] IS NOT NULL THEN CONCAT(CONVERT(NVARCHAR(MAX), N''),
        N'`ID`=i', CASE WHEN [new].[ID] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[ID]), N'''') END,
        N',`part`=t', CASE WHEN [new].[part] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[part]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`on`=i', CASE WHEN [new].[on] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[on]), N'''') END,
        N',`big`=i', CASE WHEN [new].[big] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[big]), N'''') END,
        N',`price`=o', CASE WHEN [new].[price] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[price]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`paid`=o', CASE WHEN [new].[paid] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[paid], 2), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`rate`=r', CASE WHEN [new].[rate] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[rate], 3), N'''') END,
        N',`share`=f', CASE WHEN [new].[share] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), CONVERT(FLOAT, [new].[share]), 3), N'''') END,
        N',`day`=o', CASE WHEN [new].[day] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[day], 23), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`at`=o', CASE WHEN [new].[at] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[at], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`old at`=o', CASE WHEN [new].[old at] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[old at], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`seen`=o', CASE WHEN [new].[seen] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[seen], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`zoned`=o', CASE WHEN [new].[zoned] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[zoned], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`code`=t', CASE WHEN [new].[code] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[code]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`Größe`=t', CASE WHEN [new].[Größe] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[Größe]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`it''s`=t', CASE WHEN [new].[it's] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[it's]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`guid`=o', CASE WHEN [new].[guid] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[guid]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`raw`=b', CASE WHEN [new].[raw] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[raw], 2), N'''') END,
        N',`version`=b', CASE WHEN [new].[version] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), CONVERT(VARBINARY(8), [new].[version]), 2), N'''') END,
        N',`x]y`=o', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[x]]y]) COLLATE Latin1_General_100_BIN2_UTF8))) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[x]]y]) COLLATE Latin1_General_100_BIN2_UTF8)))) ELSE CASE WHEN [new].[x]]y] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[x]]y]), N'\', N'\\'), N'''', N'\'''), N'''') END END,
        N',`doc`=t', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[doc]) COLLATE Latin1_General_100_BIN2_UTF8))) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[doc]) COLLATE Latin1_General_100_BIN2_UTF8)))) ELSE CASE WHEN [new].[doc] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[doc]), N'\', N'\\'), N'''', N'\'''), N'''') END END,
        N',`pic`=b', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), [new].[pic])) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), [new].[pic]))) ELSE CASE WHEN [new].[pic] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [new].[pic], 2), N'''') END END,
        N',`tree`=o', CASE WHEN [new].[tree] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[tree].ToString()), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`place`=b', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), [new].[place])) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), [new].[place]))) ELSE CASE WHEN [new].[place] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), CONVERT(VARBINARY(MAX), [new].[place]), 2), N'''') END END,
        N',`any`=o', CASE WHEN [new].[any] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [new].[any], 121), N'\', N'\\'), N'''', N'\'''), N'''') END) END AS [after],
      CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[x]]y]) COLLATE Latin1_General_100_BIN2_UTF8))) > 65536 THEN CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[x]]y]) COLLATE Latin1_General_100_BIN2_UTF8)) END AS [large19],
      CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[doc]) COLLATE Latin1_General_100_BIN2_UTF8))) > 65536 THEN CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [new].[doc]) COLLATE Latin1_General_100_BIN2_UTF8)) END AS [large20],
      CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), [new].[pic])) > 65536 THEN CONVERT(VARBINARY(MAX), [new].[pic]) END AS [large21],
      CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), [new].[place])) > 65536 THEN CONVERT(VARBINARY(MAX), [new].[place]) END AS [large23]
    FROM (SELECT 1 AS [fig], [ID], [part], [on], [big], [price], [paid], [rate], [share], [day], [at], [old at], [seen], [zoned], [code], [Größe], [it's], [guid], [raw], [version], [x]]y], [doc], [pic], [tree], [place], [any], [status] FROM inserted) AS [new]
    FULL OUTER JOIN (SELECT 1 AS [fig], [ID], [part], [on], [big], [price], [paid], [rate], [share], [day], [at], [old at], [seen], [zoned], [code], [Größe], [it's], [guid], [raw], [version], [x]]y], [doc], [pic], [tree], [place], [any], [status] FROM deleted) AS [old] ON [new].[ID] = [old].[ID] AND [new].[part] = [old].[part]
    WHERE (NOT ((([old].[status]) IS NULL AND ([new].[status]) IS NULL) OR (NOT ([old].[status]) IS NULL AND NOT ([new].[status]) IS NULL AND ([old].[status]) = ([new].[status]))));
    INSERT INTO [dbo].[fig_large] ([ref], [source], [bytes], [kind], [value], [created_at])
    SELECT CONCAT([e].[event_id], N'-19'), N'it''s orders', DATALENGTH([e].[large19]), N'o',
      [e].[large19], DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e] WHERE [e].[large19] IS NOT NULL;
    INSERT INTO [dbo].[fig_large] ([ref], [source], [bytes], [kind], [value], [created_at])
    SELECT CONCAT([e].[event_id], N'-20'), N'it''s orders', DATALENGTH([e].[large20]), N't',
      [e].[large20], DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e] WHERE [e].[large20] IS NOT NULL;
    INSERT INTO [dbo].[fig_large] ([ref], [source], [bytes], [kind], [value], [created_at])
    SELECT CONCAT([e].[event_id], N'-21'), N'it''s orders', DATALENGTH([e].[large21]), N'b',
      [e].[large21], DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e] WHERE [e].[large21] IS NOT NULL;
    INSERT INTO [dbo].[fig_large] ([ref], [source], [bytes], [kind], [value], [created_at])
    SELECT CONCAT([e].[event_id], N'-23'), N'it''s orders', DATALENGTH([e].[large23]), N'b',
      [e].[large23], DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e] WHERE [e].[large23] IS NOT NULL;
    INSERT INTO [dbo].[fig_event]
      ([id], [source], [event_id], [key], [op], [before], [after], [schema_hash], [created_at])
    SELECT NEXT VALUE FOR [dbo].[fig_event_id] OVER (ORDER BY [e].[op]), N'it''s orders', [e].[event_id], [e].[key],
      [e].[op], [e].[before], [e].[after], N'2ba3bc6e7f5f828a', DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e];
  END TRY
  BEGIN CATCH
    DECLARE @said NVARCHAR(1000) = LEFT(CONCAT(ERROR_NUMBER(), N' ', ERROR_MESSAGE()), 1000);
    BEGIN TRY
      IF XACT_STATE() = 1 AND OBJECT_ID(N'[dbo].[fig_gap]', N'U') IS NOT NULL
        INSERT INTO [dbo].[fig_gap] ([id], [source], [op], [key], [reason], [created_at])
        VALUES (NEXT VALUE FOR [dbo].[fig_gap_id], N'it''s orders', N'update', NULL, @said, DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6);
    END TRY
    BEGIN CATCH
      SET NOCOUNT ON;
    END CATCH
  END CATCH
END
GO

CREATE TRIGGER [sales].[fig_Order Lines_delete] ON [sales].[Order Lines] AFTER DELETE AS
BEGIN
  SET NOCOUNT ON;
  SET XACT_ABORT OFF;
  IF NOT EXISTS (SELECT 1 FROM deleted) RETURN;
  BEGIN TRY
    IF OBJECT_ID(N'[dbo].[fig_event]', N'U') IS NULL
      THROW 50000, N'fig_event is not there', 1;
    DECLARE @rows TABLE ([event_id] NVARCHAR(36), [key] NVARCHAR(600), [op] NVARCHAR(12),
      [before] NVARCHAR(MAX), [after] NVARCHAR(MAX), [large19] VARBINARY(MAX), [large20] VARBINARY(MAX), [large21] VARBINARY(MAX), [large23] VARBINARY(MAX));
    INSERT INTO @rows
    SELECT LOWER(REPLACE(CONVERT(NVARCHAR(36), NEWID()), N'-', N'')) AS [event_id],
      LEFT(CONCAT(CASE WHEN [old].[ID] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[ID]), N'''') END, N,, CASE WHEN [old].[part] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[part]), N'\', N'\\'), N'''', N'\'''), N'''') END), 600) AS [key],
      N'delete' AS [op],
      CONCAT(CONVERT(NVARCHAR(MAX), N''),
        N'`ID`=i', CASE WHEN [old].[ID] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[ID]), N'''') END,
        N',`part`=t', CASE WHEN [old].[part] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[part]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`on`=i', CASE WHEN [old].[on] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[on]), N'''') END,
        N',`big`=i', CASE WHEN [old].[big] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[big]), N'''') END,
        N',`price`=o', CASE WHEN [old].[price] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[price]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`paid`=o', CASE WHEN [old].[paid] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[paid], 2), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`rate`=r', CASE WHEN [old].[rate] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[rate], 3), N'''') END,
        N',`share`=f', CASE WHEN [old].[share] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), CONVERT(FLOAT, [old].[share]), 3), N'''') END,
        N',`day`=o', CASE WHEN [old].[day] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[day], 23), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`at`=o', CASE WHEN [old].[at] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[at], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`old at`=o', CASE WHEN [old].[old at] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[old at], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`seen`=o', CASE WHEN [old].[seen] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[seen], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`zoned`=o', CASE WHEN [old].[zoned] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[zoned], 121), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`code`=t', CASE WHEN [old].[code] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[code]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`Größe`=t', CASE WHEN [old].[Größe] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[Größe]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`it''s`=t', CASE WHEN [old].[it's] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[it's]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`guid`=o', CASE WHEN [old].[guid] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[guid]), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`raw`=b', CASE WHEN [old].[raw] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[raw], 2), N'''') END,
        N',`version`=b', CASE WHEN [old].[version] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), CONVERT(VARBINARY(8), [old].[version]), 2), N'''') END,
        N',`x]y`=o', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [old].[x]]y]) COLLATE Latin1_General_100_BIN2_UTF8))) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [old].[x]]y]) COLLATE Latin1_General_100_BIN2_UTF8)))) ELSE CASE WHEN [old].[x]]y] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[x]]y]), N'\', N'\\'), N'''', N'\'''), N'''') END END,
        N',`doc`=t', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [old].[doc]) COLLATE Latin1_General_100_BIN2_UTF8))) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [old].[doc]) COLLATE Latin1_General_100_BIN2_UTF8)))) ELSE CASE WHEN [old].[doc] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[doc]), N'\', N'\\'), N'''', N'\'''), N'''') END END,
        N',`pic`=b', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), [old].[pic])) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), [old].[pic]))) ELSE CASE WHEN [old].[pic] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), [old].[pic], 2), N'''') END END,
        N',`tree`=o', CASE WHEN [old].[tree] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[tree].ToString()), N'\', N'\\'), N'''', N'\'''), N'''') END,
        N',`place`=b', CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), [old].[place])) > 65536 THEN CONCAT(N'#', DATALENGTH(CONVERT(VARBINARY(MAX), [old].[place]))) ELSE CASE WHEN [old].[place] IS NULL THEN N'NULL' ELSE CONCAT(N'''', CONVERT(NVARCHAR(MAX), CONVERT(VARBINARY(MAX), [old].[place]), 2), N'''') END END,
        N',`any`=o', CASE WHEN [old].[any] IS NULL THEN N'NULL' ELSE CONCAT(N'''', REPLACE(REPLACE(CONVERT(NVARCHAR(MAX), [old].[any], 121), N'\', N'\\'), N'''', N'\'''), N'''') END) AS [before],
      NULL AS [after],
      CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [old].[x]]y]) COLLATE Latin1_General_100_BIN2_UTF8))) > 65536 THEN CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [old].[x]]y]) COLLATE Latin1_General_100_BIN2_UTF8)) END AS [large19],
      CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [old].[doc]) COLLATE Latin1_General_100_BIN2_UTF8))) > 65536 THEN CONVERT(VARBINARY(MAX), CONVERT(VARCHAR(MAX), CONVERT(NVARCHAR(MAX), [old].[doc]) COLLATE Latin1_General_100_BIN2_UTF8)) END AS [large20],
      CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), [old].[pic])) > 65536 THEN CONVERT(VARBINARY(MAX), [old].[pic]) END AS [large21],
      CASE WHEN DATALENGTH(CONVERT(VARBINARY(MAX), [old].[place])) > 65536 THEN CONVERT(VARBINARY(MAX), [old].[place]) END AS [large23]
    FROM deleted AS [old]
    WHERE (NOT ((([old].[status]) IS NULL AND (NULL) IS NULL) OR (NOT ([old].[status]) IS NULL AND NOT (NULL) IS NULL AND ([old].[status]) = (NULL))));
    INSERT INTO [dbo].[fig_large] ([ref], [source], [bytes], [kind], [value], [created_at])
    SELECT CONCAT([e].[event_id], N'-19'), N'it''s orders', DATALENGTH([e].[large19]), N'o',
      [e].[large19], DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e] WHERE [e].[large19] IS NOT NULL;
    INSERT INTO [dbo].[fig_large] ([ref], [source], [bytes], [kind], [value], [created_at])
    SELECT CONCAT([e].[event_id], N'-20'), N'it''s orders', DATALENGTH([e].[large20]), N't',
      [e].[large20], DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e] WHERE [e].[large20] IS NOT NULL;
    INSERT INTO [dbo].[fig_large] ([ref], [source], [bytes], [kind], [value], [created_at])
    SELECT CONCAT([e].[event_id], N'-21'), N'it''s orders', DATALENGTH([e].[large21]), N'b',
      [e].[large21], DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e] WHERE [e].[large21] IS NOT NULL;
    INSERT INTO [dbo].[fig_large] ([ref], [source], [bytes], [kind], [value], [created_at])
    SELECT CONCAT([e].[event_id], N'-23'), N'it''s orders', DATALENGTH([e].[large23]), N'b',
      [e].[large23], DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e] WHERE [e].[large23] IS NOT NULL;
    INSERT INTO [dbo].[fig_event]
      ([id], [source], [event_id], [key], [op], [before], [after], [schema_hash], [created_at])
    SELECT NEXT VALUE FOR [dbo].[fig_event_id] OVER (ORDER BY [e].[op]), N'it''s orders', [e].[event_id], [e].[key],
      [e].[op], [e].[before], [e].[after], N'2ba3bc6e7f5f828a', DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6
    FROM @rows AS [e];
  END TRY
  BEGIN CATCH
    DECLARE @said NVARCHAR(1000) = LEFT(CONCAT(ERROR_NUMBER(), N' ', ERROR_MESSAGE()), 1000);
    BEGIN TRY
      IF XACT_STATE() = 1 AND OBJECT_ID(N'[dbo].[fig_gap]', N'U') IS NOT NULL
        INSERT INTO [dbo].[fig_gap] ([id], [source], [op], [key], [reason], [created_at])
        VALUES (NEXT VALUE FOR [dbo].[fig_gap_id], N'it''s orders', N'delete', NULL, @said, DATEDIFF_BIG(MICROSECOND, CONVERT(DATETIME2, '19700101', 112), SYSUTCDATETIME()) / 1e6);
    END TRY
    BEGIN CATCH
      SET NOCOUNT ON;
    END CATCH
  END CATCH
END
GO


-- To take it out:
-- fig adapter remove it's orders: fig.toml: legacy.orders
-- For SQL Server 2019 or newer. Not run here by anybody: review it, try it on a copy.
-- With any trigger on the table, OUTPUT without INTO is an error there (334): look whether
-- legacy's statements have such. SQLAlchemy's need implicit_returning=False on the table.
-- Not captured: TRUNCATE, BULK INSERT without FIRE_TRIGGERS, SWITCH of partitions.
-- What cannot be caught, and fails legacy's write: other columns of fig_event than here.
-- Change that table only while the triggers are disabled.

SET ANSI_NULLS, QUOTED_IDENTIFIER ON;
GO

DROP TRIGGER IF EXISTS [sales].[fig_Order Lines_delete];
GO

DROP TRIGGER IF EXISTS [sales].[fig_Order Lines_update];
GO

DROP TRIGGER IF EXISTS [sales].[fig_Order Lines_insert];
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

