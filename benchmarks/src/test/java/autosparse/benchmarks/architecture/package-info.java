/** The arrows between the modules and the house's other rules, held by a test. */
package autosparse.benchmarks.architecture;
