/// Asks nodes over HTTP.
pub struct HttpProbe {}
