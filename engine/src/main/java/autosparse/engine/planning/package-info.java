/** What a planning device runs instead of computing: operators that allocate and count only. */
package autosparse.engine.planning;
