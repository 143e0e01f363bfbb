/** The space of legal schedules: drawing from it and moving in it. */
package autosparse.tuner.space;
