package autosparse.benchmarks.architecture.violations.schedule;

import autosparse.benchmarks.architecture.violations.engine.Base;

/** Schedules need no engine. */
abstract class UsesEngine implements Base {}
