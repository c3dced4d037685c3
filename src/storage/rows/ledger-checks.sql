-- What must always hold of the money, for both engines. Each row is a finding: check, subject, expected, found.
SELECT 'balance is the sum of its lines' AS check_name, CAST(b.account_id AS TEXT) AS subject,
  l.available || ' ' || l.held || ' ' || l.revenue || ' ' || l.granted AS expected,
  b.available || ' ' || b.held || ' ' || b.revenue || ' ' || b.granted AS found
FROM gateway.balances b JOIN (
  SELECT a.id AS account_id,
    COALESCE(SUM(CASE WHEN to_pot = 'available' THEN amount WHEN from_pot = 'available' THEN -amount ELSE 0 END), 0) AS available,
    COALESCE(SUM(CASE WHEN to_pot = 'held' THEN amount WHEN from_pot = 'held' THEN -amount ELSE 0 END), 0) AS held,
    COALESCE(SUM(CASE WHEN to_pot = 'revenue' THEN amount ELSE 0 END), 0) AS revenue,
    COALESCE(SUM(CASE WHEN to_pot = 'granted' THEN amount WHEN from_pot = 'granted' THEN -amount ELSE 0 END), 0) AS granted
  FROM gateway.accounts a LEFT JOIN gateway.ledger ON ledger.account_id = a.id GROUP BY a.id
) l ON l.account_id = b.account_id
WHERE b.available <> l.available OR b.held <> l.held OR b.revenue <> l.revenue OR b.granted <> l.granted
UNION ALL
SELECT 'an account has a balance', CAST(a.id AS TEXT), 'a row', 'none'
FROM gateway.accounts a WHERE NOT EXISTS (SELECT 1 FROM gateway.balances b WHERE b.account_id = a.id)
UNION ALL
SELECT 'a task holds its price once', t.id, CAST(t.held AS TEXT), CAST(COALESCE(h.amount, 0) AS TEXT)
FROM gateway.tasks t LEFT JOIN (
  SELECT subject_id, SUM(amount) AS amount FROM gateway.ledger WHERE kind = 'hold' GROUP BY subject_id
) h ON h.subject_id = t.id
WHERE t.held <> COALESCE(h.amount, 0)
UNION ALL
SELECT 'an ended task has one settlement', t.id, t.held || ' ' || t.charged,
  COALESCE(s.held || ' ' || s.charged, 'none')
FROM gateway.tasks t LEFT JOIN gateway.settlements s ON s.subject_id = t.id
WHERE t.status IN ('completed', 'failed')
  AND (s.subject_id IS NULL OR s.charged <> t.charged OR s.held <> t.held OR s.account_id <> t.account_id)
UNION ALL
SELECT 'an unfinished task has no settlement', t.id, 'none', CAST(s.charged AS TEXT)
FROM gateway.tasks t JOIN gateway.settlements s ON s.subject_id = t.id
WHERE t.status IN ('pending', 'processing')
UNION ALL
SELECT 'a settlement moves what it says', s.subject_id, s.charged || ' ' || (s.held - s.charged),
  COALESCE(m.captured, 0) || ' ' || COALESCE(m.released, 0)
FROM gateway.settlements s LEFT JOIN (
  SELECT subject_id, SUM(CASE WHEN kind = 'capture' THEN amount ELSE 0 END) AS captured,
    SUM(CASE WHEN kind = 'release' THEN amount ELSE 0 END) AS released
  FROM gateway.ledger WHERE kind IN ('capture', 'release') GROUP BY subject_id
) m ON m.subject_id = s.subject_id
WHERE s.charged <> COALESCE(m.captured, 0) OR s.held - s.charged <> COALESCE(m.released, 0)
UNION ALL
SELECT 'money moves only with a settlement', l.subject_id, 'a settlement', 'none'
FROM gateway.ledger l WHERE l.kind IN ('capture', 'release')
  AND NOT EXISTS (SELECT 1 FROM gateway.settlements s WHERE s.subject_id = l.subject_id)
UNION ALL
SELECT 'a key''s days are the sum of its tasks', k.key_id || ' ' || k.day, CAST(COALESCE(t.amount, 0) AS TEXT),
  CAST(k.amount AS TEXT)
FROM gateway.key_days k LEFT JOIN (
  SELECT key_id, created_at / 86400000 AS day, SUM(COALESCE(charged, held)) AS amount
  FROM gateway.tasks GROUP BY key_id, created_at / 86400000
) t ON t.key_id = k.key_id AND t.day = k.day
WHERE k.amount <> COALESCE(t.amount, 0)
