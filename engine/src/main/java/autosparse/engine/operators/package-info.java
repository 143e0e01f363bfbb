/** The operator families: what each computes, with its checks; devices implement them. */
package autosparse.engine.operators;
