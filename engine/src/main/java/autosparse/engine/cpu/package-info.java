/** The CPU engine: every operator in float on all cores. */
package autosparse.engine.cpu;
