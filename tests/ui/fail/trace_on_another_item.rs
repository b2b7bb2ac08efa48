use honeyhive_harness::trace;

#[trace]
struct Bot;

#[trace]
impl Bot {
    fn ask(&self) {}
}

#[trace]
mod tools {}

#[trace]
const LIMIT: usize = 3;

#[trace]
trait Tool {
    #[trace]
    fn call(&self);
}

fn main() {
    Bot.ask();
}
