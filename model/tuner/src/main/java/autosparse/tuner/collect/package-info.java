/** Data sets of measured schedules: collected, resumed, merged. */
package autosparse.tuner.collect;
