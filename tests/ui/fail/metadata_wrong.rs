use honeyhive_harness::experiment;

struct Client;

static CLIENT: Client = Client;

#[experiment(dataset = "data.jsonl", metadata(model, "x", model = "x", model = "y", empty =, a == b), smoke)]
fn greet() {}

#[experiment(dataset = "data.jsonl", metadata(size = 18_446_744_073_709_551_616, n = 1 2), smoke)]
fn too_large() {}

#[experiment(dataset = "data.jsonl", metadata(client = CLIENT), smoke)]
fn not_serialize() {}

#[experiment(dataset = "data.jsonl", metadata(model = std::env::var("MODEL"), n = missing()), smoke)]
fn fallible() {}

fn main() {}
