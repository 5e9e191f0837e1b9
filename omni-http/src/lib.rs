//! What the HTTP connectors of omni share: a thin, redacting layer on a reqwest client the host may supply.
