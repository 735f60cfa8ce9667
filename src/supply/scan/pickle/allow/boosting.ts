import type { AllowList } from './allow-list.ts';

/** Models of XGBoost and LightGBM. Their boosters are bytes or text that the native library parses. */
export const BOOSTING: AllowList = {
  framework: 'XGBoost, LightGBM',
  classes: {
    'xgboost.core': 'Booster',
    'xgboost.sklearn': 'XGBClassifier XGBModel XGBRFClassifier XGBRFRegressor XGBRanker XGBRegressor',
    'xgboost.callback': 'EarlyStopping',
    'lightgbm.basic': 'Booster',
    'lightgbm.sklearn': 'LGBMClassifier LGBMModel LGBMRanker LGBMRegressor',
    'lightgbm.compat': '_LGBMLabelEncoder',
  },
};
